//! The cluster as events tell it: workers, tasks, totals. Bounded: what was heard of longest ago is forgotten. Time is an
//! argument; where events come from is not its business.

use std::collections::BTreeMap;

use protocol::{Event, Map, State, Value};

use super::recent::Recent;
use super::worker::Worker;
use crate::output;

/// Celery's `max_tasks_in_memory`.
const MOST_TASKS: usize = 10_000;
/// Celery's `max_workers_in_memory`.
const MOST_WORKERS: usize = 5_000;
/// Most states that are counted: senders may invent some.
const MOST_STATES: usize = 32;
/// Longest text of a field that is kept: tracebacks are long, senders may be mad.
const LONGEST: usize = 16_384;

/// What is known about a task.
#[derive(Debug, Clone, Default)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) name: String,
    /// Its state in capitals.
    pub(super) state: String,
    /// The node that runs it.
    pub(super) worker: String,
    /// When it was heard of last, epoch seconds as the sender says.
    pub(super) time: f64,
    /// Seconds it ran, once it has succeeded.
    pub(super) runtime: Option<f64>,
    /// Everything that its events said, texts cut.
    pub(super) fields: Map,
}

/// Everything that was heard.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) tasks: Recent<Task>,
    workers: Recent<Worker>,
    /// Events heard.
    pub(super) events: u64,
    /// How many events said so, by state.
    pub(super) totals: BTreeMap<String, u64>,
}

impl Cluster {
    pub(super) fn new() -> Self {
        Self {
            tasks: Recent::new(MOST_TASKS),
            workers: Recent::new(MOST_WORKERS),
            events: 0,
            totals: BTreeMap::new(),
        }
    }

    /// Notes an event heard at `now`, epoch seconds by our clock.
    pub(super) fn apply(&mut self, event: &Event, now: f64) {
        self.events += 1;
        match event.group() {
            "worker" => {
                let worker = self
                    .workers
                    .touch(&event.hostname, || Worker::new(&event.hostname));
                worker.apply(event, now);
            }
            "task" => self.apply_task(event),
            _ => {}
        }
    }

    /// All workers by name, living ones first.
    pub(super) fn workers(&self, now: f64) -> Vec<&Worker> {
        let mut workers: Vec<_> = self.workers.iter().collect();
        workers.sort_by_key(|worker| (!worker.is_alive(now), &worker.node));
        workers
    }

    fn apply_task(&mut self, event: &Event) {
        let Some(id) = event.text("uuid") else { return };
        let state = state_of(event);
        if self.totals.contains_key(&state) || self.totals.len() < MOST_STATES {
            *self.totals.entry(state.clone()).or_default() += 1;
        }
        let task = self.tasks.touch(id, || Task {
            id: id.to_owned(),
            ..Task::default()
        });
        task.apply(event, state);
    }
}

impl Task {
    fn apply(&mut self, event: &Event, state: String) {
        if let Some(name) = event.text("name") {
            self.name = cut(name);
        }
        if event.kind != "task-sent" {
            self.worker = event.hostname.to_string();
        }
        self.runtime = event
            .fields
            .get("runtime")
            .and_then(Value::as_f64)
            .or(self.runtime);
        for (name, value) in &event.fields {
            if !value.is_null() {
                self.fields.insert(name, shortened(value));
            }
        }
        // Events overtake each other: an earlier stage that is heard late adds what it knows and changes no state.
        let retried = self.state == "RETRY" || state == "RETRY";
        if self.state.is_empty() || retried || stage(&state) <= stage(&self.state) {
            self.state = state;
            self.time = event.timestamp;
        }
    }

    /// Whether it is being run, as far as is known.
    pub(super) fn is_running(&self) -> bool {
        self.state == "STARTED"
    }

    /// Whether a text is part of what a person may look for.
    pub(super) fn contains(&self, text: &str) -> bool {
        let known = [&self.id, &self.name, &self.state, &self.worker];
        let mut known = known.into_iter().map(|field| field.to_lowercase());
        let text = text.to_lowercase();
        let mut details = ["args", "kwargs", "result", "exception"]
            .into_iter()
            .filter_map(|name| self.fields.get(name)?.as_str());
        known.any(|field| field.contains(&text))
            || details.any(|field| field.to_lowercase().contains(&text))
    }
}

/// The state that an event means, as Celery maps them.
fn state_of(event: &Event) -> String {
    let stage = event.kind.strip_prefix("task-").unwrap_or(&event.kind);
    match stage {
        "sent" => "PENDING".to_owned(),
        "succeeded" => "SUCCESS".to_owned(),
        "failed" => "FAILURE".to_owned(),
        "retried" => "RETRY".to_owned(),
        other => cut(&other.to_uppercase()),
    }
}

/// Celery's order of states; the lower, the later in a task's life.
fn stage(state: &str) -> u8 {
    State::from(state).precedence()
}

fn shortened(value: &Value) -> Value {
    match value {
        Value::Str(text) => Value::from(cut(text)),
        other => other.clone(),
    }
}

fn cut(text: &str) -> String {
    output::cut(text, LONGEST).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, fields: &[(&str, &str)]) -> Event {
        Event {
            kind: kind.into(),
            timestamp: 100.0,
            hostname: "w1@test".into(),
            fields: Map::from_iter(fields.iter().copied()),
            ..Event::default()
        }
    }

    #[test]
    fn a_task_s_events_add_up() {
        let mut cluster = Cluster::new();
        // Heard in the wrong order.
        for (kind, field) in [
            ("task-started", ("pid", "1")),
            ("task-succeeded", ("result", "5")),
            ("task-received", ("name", "proj.add")),
        ] {
            cluster.apply(&event(kind, &[("uuid", "a"), field]), 100.0);
        }
        let task = cluster.tasks.get("a").unwrap();
        assert_eq!(
            (task.state.as_str(), task.name.as_str()),
            ("SUCCESS", "proj.add")
        );
        assert_eq!(task.worker, "w1@test");
        assert!(task.contains("PROJ.A") && !task.contains("nothing"));
        assert_eq!(cluster.totals["SUCCESS"], 1);
    }

    #[test]
    fn a_retry_begins_a_task_s_life_anew() {
        let mut cluster = Cluster::new();
        for kind in ["task-started", "task-retried", "task-received"] {
            cluster.apply(&event(kind, &[("uuid", "a")]), 100.0);
        }
        assert_eq!(cluster.tasks.get("a").unwrap().state, "RECEIVED");
    }

    #[test]
    fn a_silent_worker_is_gone() {
        let mut cluster = Cluster::new();
        cluster.apply(&event("worker-heartbeat", &[]), 100.0);
        assert!(cluster.workers(105.0)[0].is_alive(105.0));
        assert!(!cluster.workers(107.0)[0].is_alive(107.0));
        cluster.apply(&event("worker-offline", &[]), 108.0);
        assert!(!cluster.workers(108.0)[0].is_alive(108.0));
    }

    #[test]
    fn memory_is_bounded_whatever_is_sent() {
        let mut cluster = Cluster::new();
        for number in 0..30_000 {
            let id = number.to_string();
            let mut event = event(&format!("task-{id}"), &[("uuid", &id)]);
            event.hostname = format!("w{id}@test").into();
            cluster.apply(&event, 100.0);
            event.kind = "worker-heartbeat".into();
            cluster.apply(&event, 100.0);
        }
        assert_eq!(cluster.tasks.len(), MOST_TASKS);
        assert_eq!(cluster.workers.len(), MOST_WORKERS);
        assert_eq!(cluster.totals.len(), MOST_STATES);
        let long = "x".repeat(3 * LONGEST);
        cluster.apply(
            &event("task-failed", &[("uuid", "a"), ("traceback", &long)]),
            1.0,
        );
        let traceback = &cluster.tasks.get("a").unwrap().fields.get("traceback");
        assert!(traceback.unwrap().as_str().unwrap().len() < 2 * LONGEST);
    }
}
