//! The worker's metrics: counters that its components turn, and gauges that are read when somebody asks.
//!
//! Labels are bounded: task names are the program's, states are Celery's, and of queues only the first hundred have a label of
//! their own.

mod gauges;
mod labels;
mod process;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use broker::Settled;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};
use protocol::State;

use crate::engine::Engine;
use gauges::Gauges;
use labels::{Finished, Outcome, Queue, Queues, Received, Task, state_name};

/// Bounds of the histograms of times, in seconds.
const BUCKETS: [f64; 14] = [
    0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 300.0, 1_800.0, 7_200.0,
];

type Times<L> = Family<L, Histogram, fn() -> Histogram>;

/// The worker's metrics.
pub(crate) struct Metrics {
    registry: Registry,
    counters: Counters,
    gauges: Gauges,
    queues: Queues,
    /// Whether what happens to single tasks is counted.
    counts_tasks: bool,
}

struct Counters {
    received: Family<Received, Counter>,
    finished: Family<Finished, Counter>,
    runtime: Times<Task>,
    wait: Times<Queue>,
    settlements: Family<Outcome, Counter>,
    disconnects: Counter,
    reclaimed: Counter,
    lost: Counter,
    fenced: Counter,
    stalls: Counter,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Nothing has happened yet. Without `counts_tasks` the way of a task is spared the counting.
    pub(crate) fn new(counts_tasks: bool) -> Self {
        let mut registry = Registry::with_prefix("celeriac");
        let counters = Counters::register(&mut registry);
        let gauges = Gauges::register(&mut registry);
        Self {
            registry,
            counters,
            gauges,
            queues: Queues::default(),
            counts_tasks,
        }
    }

    /// A message of a known task was taken.
    pub(crate) fn received(&self, task: &Arc<str>, queue: &Arc<str>) {
        if self.counts_tasks {
            let (task, queue) = (Arc::clone(task), self.queues.label(queue));
            self.counters
                .received
                .get_or_create(&Received { task, queue })
                .inc();
        }
    }

    /// A run starts, this long after it could have.
    pub(crate) fn started(&self, queue: &Arc<str>, waited: Duration) {
        if self.counts_tasks {
            let queue = self.queues.label(queue);
            self.counters
                .wait
                .get_or_create(&Queue { queue })
                .observe(waited.as_secs_f64());
        }
    }

    /// A task has ended in this state, without a run or after one of this length.
    pub(crate) fn finished(
        &self,
        task: &Arc<str>,
        queue: &Arc<str>,
        state: &State,
        runtime: Option<Duration>,
    ) {
        if !self.counts_tasks {
            return;
        }
        let ended = Finished {
            task: Arc::clone(task),
            queue: self.queues.label(queue),
            state: state_name(state),
        };
        self.counters.finished.get_or_create(&ended).inc();
        if let Some(runtime) = runtime {
            let task = Task { task: ended.task };
            self.counters
                .runtime
                .get_or_create(&task)
                .observe(runtime.as_secs_f64());
        }
    }

    /// A settlement was answered, or could not be carried out at all.
    pub(crate) fn settled(&self, settled: Option<Settled>) {
        if self.counts_tasks {
            let outcome = Outcome::of(settled);
            self.counters.settlements.get_or_create(&outcome).inc();
        }
    }

    pub(crate) fn disconnected(&self) {
        self.counters.disconnects.inc();
    }

    pub(crate) fn reclaimed(&self, messages: usize) {
        self.counters.reclaimed.inc_by(messages as u64);
    }

    pub(crate) fn lost(&self) {
        self.counters.lost.inc();
    }

    pub(crate) fn fenced(&self) {
        self.counters.fenced.inc();
    }

    pub(crate) fn stalled(&self) {
        self.counters.stalls.inc();
    }

    /// How many messages were ready when somebody last looked.
    pub(crate) fn ready(&self, queue: &str, messages: u64) {
        self.gauges
            .ready(self.queues.label(&queue.into()), messages);
    }

    /// Everything as OpenMetrics text.
    pub(crate) fn text(&self, engine: &Engine) -> String {
        self.gauges.read(engine);
        let mut text = String::new();
        text::encode(&mut text, &self.registry).expect("a text takes whatever is written to it");
        text
    }
}

impl Counters {
    fn register(registry: &mut Registry) -> Self {
        let times: fn() -> Histogram = || Histogram::new(BUCKETS);
        // The names of counters get their `_total` from the registry.
        Self {
            received: add(
                registry,
                "tasks_received",
                "Messages of known tasks that were taken",
                Family::default(),
            ),
            finished: add(
                registry,
                "tasks_finished",
                "Tasks that have ended, by their state",
                Family::default(),
            ),
            runtime: add(
                registry,
                "task_runtime_seconds",
                "How long tasks ran",
                Times::new_with_constructor(times),
            ),
            wait: add(
                registry,
                "task_wait_seconds",
                "From the time that a task was held and due to its start",
                Times::new_with_constructor(times),
            ),
            settlements: add(
                registry,
                "settlements",
                "Settlements by their outcome",
                Family::default(),
            ),
            disconnects: add(
                registry,
                "broker_disconnects",
                "Times that the connection to the broker was lost",
                Counter::default(),
            ),
            reclaimed: add(
                registry,
                "messages_reclaimed",
                "Messages of lost workers that this worker has made ready again",
                Counter::default(),
            ),
            lost: add(
                registry,
                "runs_lost",
                "Runs of lost workers after an early acknowledgement, reported by this worker",
                Counter::default(),
            ),
            fenced: add(
                registry,
                "fenced",
                "Times that this worker was declared dead while it was frozen or cut off",
                Counter::default(),
            ),
            stalls: add(
                registry,
                "stalls",
                "Times that this worker took nothing although messages were ready and slots free",
                Counter::default(),
            ),
        }
    }
}

/// Registers a metric and keeps hold of it.
fn add<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_for_is_counted() {
        let (task, queue): (Arc<str>, Arc<str>) = ("t".into(), "q".into());
        for counts in [true, false] {
            let metrics = Metrics::new(counts);
            metrics.received(&task, &queue);
            metrics.finished(
                &task,
                &queue,
                &State::Success,
                Some(Duration::from_millis(20)),
            );
            metrics.settled(None);
            metrics.stalled();
            let mut text = String::new();
            text::encode(&mut text, &metrics.registry).expect("a text takes everything");
            let finished = r#"celeriac_tasks_finished_total{task="t",queue="q",state="SUCCESS"} 1"#;
            assert_eq!(text.contains(finished), counts, "{text}");
            assert!(text.contains("celeriac_stalls_total 1"), "{text}");
            assert!(!text.contains("_total_total"), "{text}");
        }
    }
}
