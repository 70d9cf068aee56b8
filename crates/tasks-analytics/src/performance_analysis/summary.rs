//! Runs summed up by task and by queue. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portfolio::store::RunRow;
use serde::{Deserialize, Serialize};
use tasks::quantile;

/// Runs listed as the slowest.
const LISTED: usize = 10;

/// The runs of one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskSummary {
    /// Runs that ended.
    pub count: usize,
    /// Successes among them; runs that are tried again count as none.
    pub success_rate: f64,
    /// The median duration.
    pub p50_ms: f64,
    /// 95 of 100 were faster.
    pub p95_ms: f64,
    /// 99 of 100 were faster.
    pub p99_ms: f64,
    /// Runs that were retries.
    pub retries: usize,
}

/// One queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueueSummary {
    /// Messages that wait.
    pub backlog: u64,
    /// Runs that ended in an hour.
    pub per_hour: f64,
    /// How long a message sent now will wait at this pace; null when nothing moves.
    pub wait_s: Option<f64>,
}

/// A long run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slow {
    /// The task.
    pub name: String,
    /// How long it took.
    pub duration_ms: i64,
    /// When it ended.
    pub finished_at: Timestamp,
}

/// Runs by task.
pub fn summed_up(runs: &[RunRow]) -> BTreeMap<String, TaskSummary> {
    let mut by_name: BTreeMap<&str, Vec<&RunRow>> = BTreeMap::new();
    for run in runs {
        by_name.entry(&run.name).or_default().push(run);
    }
    let summed = by_name.into_iter();
    summed
        .map(|(name, runs)| (name.to_owned(), task(&runs)))
        .collect()
}

fn task(runs: &[&RunRow]) -> TaskSummary {
    let mut durations: Vec<f64> = runs.iter().map(|run| run.duration_ms as f64).collect();
    durations.sort_by(f64::total_cmp);
    let at = |share| quantile(&durations, share).unwrap_or_default();
    let succeeded = runs.iter().filter(|run| run.state == "SUCCESS").count();
    TaskSummary {
        count: runs.len(),
        success_rate: succeeded as f64 / runs.len() as f64,
        p50_ms: at(0.5),
        p95_ms: at(0.95),
        p99_ms: at(0.99),
        retries: runs.iter().filter(|run| run.retries > 0).count(),
    }
}

pub(super) fn queues(
    runs: &[RunRow],
    depths: &BTreeMap<String, u64>,
    hours: i64,
) -> BTreeMap<String, QueueSummary> {
    let mut counts: BTreeMap<&str, u64> = depths.keys().map(|name| (name.as_str(), 0)).collect();
    for run in runs {
        *counts.entry(&run.queue).or_default() += 1;
    }
    let queue = |(name, count): (&str, u64)| {
        let backlog = depths.get(name).copied().unwrap_or_default();
        let per_hour = count as f64 / hours as f64;
        let wait_s = match (backlog, count) {
            (0, _) => Some(0.0),
            (_, 0) => None,
            _ => Some(backlog as f64 / per_hour * 3_600.0),
        };
        let summary = QueueSummary {
            backlog,
            per_hour,
            wait_s,
        };
        (name.to_owned(), summary)
    };
    counts.into_iter().map(queue).collect()
}

/// The longest runs, the longest first.
pub fn slowest(runs: &[RunRow]) -> Vec<Slow> {
    let mut sorted: Vec<&RunRow> = runs.iter().collect();
    sorted.sort_by_key(|run| std::cmp::Reverse(run.duration_ms));
    let slow = sorted.into_iter().take(LISTED).map(|run| Slow {
        name: run.name.clone(),
        duration_ms: run.duration_ms,
        finished_at: run.at,
    });
    slow.collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn run(name: &str, state: &str, duration_ms: i64, retries: i64) -> RunRow {
        RunRow {
            name: name.to_owned(),
            queue: "default".to_owned(),
            state: state.to_owned(),
            at: Timestamp::UNIX_EPOCH,
            duration_ms,
            retries,
        }
    }

    #[test]
    fn tasks_are_summed_up_by_name() {
        let runs = [
            run("a", "SUCCESS", 100, 0),
            run("a", "SUCCESS", 300, 1),
            run("b", "FAILURE", 5, 0),
        ];
        let tasks = summed_up(&runs);
        let a = &tasks["a"];
        assert_eq!(
            (a.count, a.success_rate, a.p50_ms, a.retries),
            (2, 1.0, 200.0, 1)
        );
        assert_eq!(tasks["b"].success_rate, 0.0);
        assert_eq!(slowest(&runs)[0].duration_ms, 300);
    }

    #[test]
    fn a_queue_waits_for_its_backlog_at_its_pace() {
        let runs = [run("a", "SUCCESS", 1, 0), run("a", "SUCCESS", 1, 0)];
        let depths = BTreeMap::from([
            ("default".to_owned(), 4),
            ("idle".to_owned(), 0),
            ("stuck".to_owned(), 9),
        ]);
        let queues = queues(&runs, &depths, 2);
        assert_eq!(queues["default"].per_hour, 1.0);
        assert_eq!(queues["default"].wait_s, Some(14_400.0));
        assert_eq!(queues["idle"].wait_s, Some(0.0));
        assert_eq!(queues["stuck"].wait_s, None);
    }
}
