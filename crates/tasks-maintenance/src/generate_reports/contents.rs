//! What reports on the system say. Pure.

use std::collections::{BTreeMap, BTreeSet};

use portfolio::store::{ActionRow, HealthRow, MetricRow, RunRow};
use reports::contents::section;
use reports::document::{Block, Figure, Table};
use reports::format::percent;
use tasks_analytics::{slowest, summed_up};

use super::moment;
use crate::health::{Check, CheckStatus};

/// Health by status and by check, and runs by queue.
pub(super) fn system(health: &[HealthRow], runs: &[RunRow]) -> Vec<Block> {
    let healthy = count(health, |sample| sample.status == "healthy");
    let mut blocks = vec![Block::Figures(vec![
        figure("Health samples", health.len()),
        Figure {
            label: "Healthy",
            value: share(healthy, health.len()),
        },
        figure("Runs", runs.len()),
        figure("Failed", count(runs, |run| run.state == "FAILURE")),
    ])];
    blocks.extend(listed(
        "Health checks",
        checks(health),
        "No health was noted.",
    ));
    blocks.extend(listed("Queues", queues(runs), "No task ran."));
    blocks
}

/// Runs by task, and the slowest.
pub(super) fn performance(runs: &[RunRow]) -> Vec<Block> {
    let mut table = Table::new(
        &["Task"],
        &["Runs", "Success", "p50 ms", "p95 ms", "p99 ms", "Retries"],
    );
    table.rows = summed_up(runs)
        .into_iter()
        .map(|(name, task)| {
            vec![
                name,
                task.count.to_string(),
                percent(Some(task.success_rate)),
                whole(task.p50_ms),
                whole(task.p95_ms),
                whole(task.p99_ms),
                task.retries.to_string(),
            ]
        })
        .collect();
    let mut slow = Table::new(&["Task", "Ended"], &["ms"]);
    slow.rows = slowest(runs)
        .into_iter()
        .map(|run| {
            vec![
                run.name,
                moment(run.finished_at),
                run.duration_ms.to_string(),
            ]
        })
        .collect();
    let mut blocks = listed("Tasks", table, "No task ran.");
    blocks.extend(listed("Slowest runs", slow, "No task ran."));
    blocks
}

/// What users did, and how many did something.
pub(super) fn usage(actions: &[ActionRow], metrics: &[MetricRow]) -> Vec<Block> {
    let users: BTreeSet<i64> = actions.iter().map(|action| action.user_id).collect();
    let mut blocks = vec![Block::Figures(vec![
        figure("Actions", actions.len()),
        figure("Active users", users.len()),
    ])];
    let mut kinds: BTreeMap<&str, (usize, BTreeSet<i64>)> = BTreeMap::new();
    for action in actions {
        let (count, users) = kinds.entry(&action.action).or_default();
        *count += 1;
        users.insert(action.user_id);
    }
    let mut table = Table::new(&["Action"], &["Times", "Users"]);
    table.rows = kinds
        .into_iter()
        .map(|(kind, (count, users))| {
            vec![kind.to_owned(), count.to_string(), users.len().to_string()]
        })
        .collect();
    blocks.extend(listed("Actions", table, "No user did anything."));
    blocks.extend(listed(
        "Metrics of five minutes",
        averages(metrics),
        "No metrics were kept.",
    ));
    blocks
}

fn checks(health: &[HealthRow]) -> Table {
    let mut by_name: BTreeMap<String, Vec<Check>> = BTreeMap::new();
    for sample in health {
        // A sample of another version of the program is left out.
        let checks: BTreeMap<String, Check> =
            serde_json::from_str(&sample.checks).unwrap_or_default();
        for (name, check) in checks {
            by_name.entry(name).or_default().push(check);
        }
    }
    let mut table = Table::new(
        &["Check"],
        &["Samples", "Healthy", "Degraded", "Unhealthy", "Longest ms"],
    );
    for (name, seen) in by_name {
        let of = |status| count(&seen, |check| check.status == status).to_string();
        let longest = seen.iter().map(|check| check.latency_ms);
        table.rows.push(vec![
            name,
            seen.len().to_string(),
            of(CheckStatus::Healthy),
            of(CheckStatus::Degraded),
            of(CheckStatus::Unhealthy),
            whole(longest.fold(0.0, f64::max)),
        ]);
    }
    table
}

fn queues(runs: &[RunRow]) -> Table {
    let mut by_queue: BTreeMap<&str, Vec<&RunRow>> = BTreeMap::new();
    for run in runs {
        by_queue.entry(&run.queue).or_default().push(run);
    }
    let mut table = Table::new(&["Queue"], &["Runs", "Failed", "Mean ms"]);
    for (queue, runs) in by_queue {
        let all: i64 = runs.iter().map(|run| run.duration_ms).sum();
        table.rows.push(vec![
            queue.to_owned(),
            runs.len().to_string(),
            count(&runs, |run| run.state == "FAILURE").to_string(),
            whole(all as f64 / runs.len() as f64),
        ]);
    }
    table
}

fn averages(metrics: &[MetricRow]) -> Table {
    let mut by_name: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
    for metric in metrics {
        let key = (metric.name.as_str(), metric.label.as_str());
        by_name.entry(key).or_default().push(metric.value);
    }
    let mut table = Table::new(&["Metric", "Of"], &["Buckets", "Mean", "Highest"]);
    for ((name, label), values) in by_name {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let highest = values.iter().copied().fold(f64::MIN, f64::max);
        table.rows.push(vec![
            name.replace('_', " "),
            label.to_owned(),
            values.len().to_string(),
            format!("{mean:.3}"),
            format!("{highest:.3}"),
        ]);
    }
    table
}

fn listed(heading: &str, table: Table, nothing: &str) -> Vec<Block> {
    let content = if table.rows.is_empty() {
        Err(nothing)
    } else {
        Ok(table)
    };
    section(heading, content)
}

fn figure(label: &'static str, count: usize) -> Figure {
    Figure {
        label,
        value: count.to_string(),
    }
}

fn count<T>(items: &[T], is_meant: impl Fn(&T) -> bool) -> usize {
    items.iter().filter(|item| is_meant(item)).count()
}

fn share(part: usize, all: usize) -> String {
    percent((all > 0).then(|| part as f64 / all as f64))
}

fn whole(value: f64) -> String {
    format!("{value:.0}")
}
