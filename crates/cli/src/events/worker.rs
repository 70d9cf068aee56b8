//! A worker as its heartbeats tell.

use protocol::{Event, Value};

/// Seconds between heartbeats unless the worker says otherwise; Celery's.
const USUAL_FREQ: f64 = 2.0;
/// After how many missed heartbeats a worker counts as gone, as in Celery's `HEARTBEAT_EXPIRE_WINDOW` of 200 %.
const MISSED: f64 = 2.0;

/// What is known about a worker.
#[derive(Debug, Clone, Default)]
pub(super) struct Worker {
    pub(super) node: String,
    pub(super) active: i64,
    pub(super) processed: i64,
    pub(super) load: Option<f64>,
    /// What runs there, such as `celeriac 0.1.0`.
    pub(super) software: String,
    freq: f64,
    /// When it was heard last, by our clock.
    heard: f64,
    said_goodbye: bool,
}

impl Worker {
    pub(super) fn new(node: &str) -> Self {
        Self {
            node: node.to_owned(),
            freq: USUAL_FREQ,
            ..Self::default()
        }
    }

    /// Notes an event of the worker itself, heard at `now` (epoch seconds by our clock).
    pub(super) fn apply(&mut self, event: &Event, now: f64) {
        self.heard = now;
        self.said_goodbye = event.kind == "worker-offline";
        let number = |name: &str| event.fields.get(name).and_then(Value::as_i64);
        self.active = number("active").unwrap_or(self.active);
        self.processed = number("processed").unwrap_or(self.processed);
        let freq = event.fields.get("freq").and_then(Value::as_f64);
        self.freq = freq.filter(|freq| *freq > 0.0).unwrap_or(self.freq);
        let load = event.fields.get("loadavg").and_then(Value::as_list);
        self.load = load.and_then(|load| load.first()?.as_f64()).or(self.load);
        if let Some(ident) = event.text("sw_ident") {
            let version = event.text("sw_ver").unwrap_or_default();
            self.software = format!("{ident} {version}").trim_end().to_owned();
        }
    }

    /// Whether it has been heard lately.
    pub(super) fn is_alive(&self, now: f64) -> bool {
        !self.said_goodbye && now - self.heard <= self.freq * MISSED + self.freq
    }
}
