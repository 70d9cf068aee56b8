//! Counting in buckets of five minutes. Pure: rows in, metrics out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use portfolio::store::{ActionRow, Metric, RunRow};
use tasks::quantile;

const SECONDS: i64 = 300;

/// What was seen in a window.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) actions: Vec<ActionRow>,
    pub(super) runs: Vec<RunRow>,
    /// How often cache entries were read, and computed.
    pub(super) cache_use: (i64, i64),
}

impl Observed {
    pub(super) fn active_users(&self) -> usize {
        let users: BTreeSet<i64> = self.actions.iter().map(|action| action.user_id).collect();
        users.len()
    }

    pub(super) fn success_rate(&self) -> Option<f64> {
        let succeeded = self
            .runs
            .iter()
            .filter(|run| run.state == "SUCCESS")
            .count();
        (!self.runs.is_empty()).then(|| succeeded as f64 / self.runs.len() as f64)
    }
}

/// Buckets by their first moments, oldest first.
#[derive(Debug)]
pub(super) struct Buckets(Vec<Timestamp>);

impl Buckets {
    /// Those that a window touches which ends now.
    pub(super) fn back_from(now: Timestamp, window: SignedDuration) -> Self {
        let last = now.as_second().div_euclid(SECONDS);
        let first = (now.as_second() - window.as_secs()).div_euclid(SECONDS);
        let moment = |bucket: i64| Timestamp::from_second(bucket * SECONDS).ok();
        Self((first..=last).filter_map(moment).collect())
    }

    pub(super) fn all(&self) -> &[Timestamp] {
        &self.0
    }

    /// From the first moment of the first to the first moment after the last.
    pub(super) fn range(&self) -> (Timestamp, Timestamp) {
        let first = self.0.first().copied().unwrap_or_default();
        let last = self.0.last().copied().unwrap_or_default();
        (first, last + SignedDuration::from_secs(SECONDS))
    }

    /// All numbers. The cache hit rate is one of now, and stands in the last bucket.
    pub(super) fn metrics(&self, observed: &Observed) -> Vec<Metric> {
        let mut metrics = Vec::new();
        for &bucket in &self.0 {
            let mut numbers = Numbers {
                bucket,
                found: &mut metrics,
            };
            let within =
                |at: Timestamp| at.as_second().div_euclid(SECONDS) * SECONDS == bucket.as_second();
            numbers.actions(observed.actions.iter().filter(|action| within(action.at)));
            numbers.runs(
                &observed
                    .runs
                    .iter()
                    .filter(|run| within(run.at))
                    .collect::<Vec<_>>(),
            );
        }
        let (hits, computed) = observed.cache_use;
        if let Some(&bucket) = self.0.last()
            && hits + computed > 0
        {
            let rate = hits as f64 / (hits + computed) as f64;
            Numbers {
                bucket,
                found: &mut metrics,
            }
            .add("cache_hit_rate", "", rate);
        }
        metrics
    }
}

struct Numbers<'m> {
    bucket: Timestamp,
    found: &'m mut Vec<Metric>,
}

impl Numbers<'_> {
    fn add(&mut self, name: &'static str, label: &str, value: f64) {
        self.found.push(Metric {
            bucket: self.bucket,
            name,
            label: label.to_owned(),
            value,
        });
    }

    fn actions<'a>(&mut self, actions: impl Iterator<Item = &'a ActionRow>) {
        let (mut users, mut kinds) = (BTreeSet::new(), BTreeMap::new());
        for action in actions {
            users.insert(action.user_id);
            *kinds.entry(action.action.as_str()).or_insert(0_u32) += 1;
        }
        for (kind, count) in kinds {
            self.add("actions", kind, count.into());
        }
        if !users.is_empty() {
            self.add("active_users", "", users.len() as f64);
        }
    }

    fn runs(&mut self, runs: &[&RunRow]) {
        for (name, label) in [
            (
                "tasks_by_state",
                (|run: &RunRow| run.state.clone()) as fn(&RunRow) -> String,
            ),
            ("tasks_by_queue", |run| run.queue.clone()),
        ] {
            let mut counts = BTreeMap::new();
            for run in runs {
                *counts.entry(label(run)).or_insert(0_u32) += 1;
            }
            for (label, count) in counts {
                self.add(name, &label, count.into());
            }
        }
        let mut durations: Vec<f64> = runs.iter().map(|run| run.duration_ms as f64).collect();
        durations.sort_by(f64::total_cmp);
        if let Some(p95) = quantile(&durations, 0.95) {
            let mean = durations.iter().sum::<f64>() / durations.len() as f64;
            self.add("task_duration_mean_ms", "", mean);
            self.add("task_duration_p95_ms", "", p95);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn observed() -> Observed {
        let action = |user_id, action: &str, at| ActionRow {
            user_id,
            action: action.to_owned(),
            at: time(at),
        };
        let run = |state: &str, duration_ms, at| RunRow {
            name: "demo.task".to_owned(),
            queue: "default".to_owned(),
            state: state.to_owned(),
            at: time(at),
            duration_ms,
            retries: 0,
        };
        Observed {
            actions: vec![
                action(1, "login", "2026-11-20T12:00:00.25Z"),
                action(2, "login", "2026-11-20T12:04:59Z"),
                action(1, "click", "2026-11-20T12:05:00Z"),
            ],
            runs: vec![
                run("SUCCESS", 100, "2026-11-20T12:01:00Z"),
                run("FAILURE", 300, "2026-11-20T12:02:00Z"),
            ],
            cache_use: (3, 1),
        }
    }

    #[test]
    fn a_window_touches_whole_buckets() {
        let now = time("2026-11-20T12:07:30Z");
        let buckets = Buckets::back_from(now, SignedDuration::from_mins(5));
        let first = [time("2026-11-20T12:00:00Z"), time("2026-11-20T12:05:00Z")];
        assert_eq!(buckets.all(), first);
        assert_eq!(buckets.range().1, time("2026-11-20T12:10:00Z"));
    }

    #[test]
    fn everything_is_counted_in_its_bucket() {
        let now = time("2026-11-20T12:07:30Z");
        let buckets = Buckets::back_from(now, SignedDuration::from_mins(5));
        let metrics = buckets.metrics(&observed());
        let value = |bucket: usize, name: &str, label: &str| {
            let wanted = |metric: &&Metric| {
                metric.bucket == buckets.all()[bucket]
                    && metric.name == name
                    && metric.label == label
            };
            metrics.iter().find(wanted).map(|metric| metric.value)
        };
        assert_eq!(value(0, "actions", "login"), Some(2.0));
        assert_eq!(value(0, "active_users", ""), Some(2.0));
        assert_eq!(value(1, "actions", "click"), Some(1.0));
        assert_eq!(value(1, "actions", "login"), None);
        assert_eq!(value(0, "tasks_by_state", "FAILURE"), Some(1.0));
        assert_eq!(value(0, "tasks_by_queue", "default"), Some(2.0));
        assert_eq!(value(0, "task_duration_mean_ms", ""), Some(200.0));
        assert_eq!(value(0, "task_duration_p95_ms", ""), Some(290.0));
        assert_eq!(value(1, "cache_hit_rate", ""), Some(0.75));
        assert_eq!(observed().active_users(), 2);
        assert_eq!(observed().success_rate(), Some(0.5));
    }
}
