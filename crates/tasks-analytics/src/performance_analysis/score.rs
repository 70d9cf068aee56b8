//! What the numbers mean: advice, and one number from 0 to 100. Pure.

use std::collections::BTreeMap;

use tasks::catalogue;

use super::summary::{QueueSummary, TaskSummary};

/// Tasks that succeed less often are spoken of.
const GOOD_RATE: f64 = 0.95;
/// The share of the soft time limit that 95 of 100 runs should stay under.
const GOOD_SHARE: f64 = 0.8;
/// Longer backlogs are spoken of.
const GOOD_BACKLOG: u64 = 1_000;
/// What all retries together, and backlogs, can cost.
const RETRIES_COST: f64 = 20.0;
const BACKLOG_COST: f64 = 10.0;

type Tasks = BTreeMap<String, TaskSummary>;
type Queues = BTreeMap<String, QueueSummary>;

pub(super) fn recommendations(tasks: &Tasks, queues: &Queues) -> Vec<String> {
    let mut advice = Vec::new();
    for (name, task) in tasks {
        if task.success_rate < GOOD_RATE {
            let share = task.success_rate * 100.0;
            advice.push(format!(
                "{name}: {share:.1} % of {} runs succeeded; read their errors in task_runs",
                task.count
            ));
        }
        if let Some(spec) = catalogue::named(name)
            && task.p95_ms > f64::from(spec.limits.soft_s) * 1_000.0 * GOOD_SHARE
        {
            advice.push(format!(
                "{name}: 5 % of its runs take longer than {:.1} s of the {} s that it may; split its work or raise the limit",
                task.p95_ms / 1_000.0,
                spec.limits.soft_s
            ));
        }
    }
    for (name, queue) in queues {
        if queue.backlog > GOOD_BACKLOG {
            advice.push(format!(
                "queue {name}: {} messages wait; add workers",
                queue.backlog
            ));
        }
    }
    advice
}

/// The share of successes, less what retries and backlogs cost; none without runs.
pub(super) fn score(tasks: &Tasks, queues: &Queues) -> Option<u32> {
    let count: usize = tasks.values().map(|task| task.count).sum();
    if count == 0 {
        return None;
    }
    let count = count as f64;
    let succeeded: f64 = tasks
        .values()
        .map(|task| task.success_rate * task.count as f64)
        .sum();
    let retries: usize = tasks.values().map(|task| task.retries).sum();
    let late = queues.values().any(|queue| queue.backlog > GOOD_BACKLOG);
    let cost = RETRIES_COST * retries as f64 / count + if late { BACKLOG_COST } else { 0.0 };
    Some((100.0 * succeeded / count - cost).clamp(0.0, 100.0).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::super::summary::{self, tests::run};
    use super::*;

    #[test]
    fn failures_and_retries_cost_and_nothing_has_no_score() {
        assert_eq!(score(&Tasks::new(), &Queues::new()), None);
        let well = summary::summed_up(&[run("a", "SUCCESS", 1, 0), run("a", "SUCCESS", 1, 0)]);
        assert_eq!(score(&well, &Queues::new()), Some(100));
        let ill = summary::summed_up(&[run("a", "SUCCESS", 1, 1), run("a", "FAILURE", 1, 0)]);
        assert_eq!(score(&ill, &Queues::new()), Some(40));
    }

    #[test]
    fn advice_names_task_and_queue() {
        let slow = run("dashboard.tasks.debug_task", "SUCCESS", 19_000, 0);
        let tasks = summary::summed_up(&[slow, run("b", "FAILURE", 1, 0)]);
        let queue = QueueSummary {
            backlog: 1_001,
            per_hour: 1.0,
            wait_s: None,
        };
        let advice = recommendations(&tasks, &Queues::from([("analytics".to_owned(), queue)]));
        assert_eq!(advice.len(), 3, "{advice:?}");
        assert!(advice[0].starts_with("b: 0.0 %"));
        assert!(advice[1].contains("19.0 s of the 20 s"));
        assert!(advice[2].contains("1001 messages wait"));
    }
}
