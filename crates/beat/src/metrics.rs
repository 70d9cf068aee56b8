//! What Prometheus is told of a beat. It owns the counters; who turns them is the leader.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::SignedDuration;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Bounds of the histogram of lateness, in seconds.
const BUCKETS: [f64; 12] = [
    0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 10.0, 60.0, 3_600.0,
];

/// A beat's metrics.
pub(crate) struct Metrics {
    registry: Registry,
    lateness: Histogram,
    sent: Counter,
    missed: Counter,
    doubled: Counter,
    terms: Counter,
    leader: Gauge,
    entries: Gauge,
    problems: Gauge,
    skew: Gauge<f64, AtomicU64>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("celeriac_beat"),
            lateness: Histogram::new(BUCKETS),
            sent: Counter::default(),
            missed: Counter::default(),
            doubled: Counter::default(),
            terms: Counter::default(),
            leader: Gauge::default(),
            entries: Gauge::default(),
            problems: Gauge::default(),
            skew: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    /// The names of counters get their `_total` from the registry.
    fn register(&mut self) {
        self.registry.register(
            "lateness_seconds",
            "How long after its slot, jitter included in the slot, a task was sent",
            self.lateness.clone(),
        );
        let counters = [
            ("slots_sent", "Slots whose task was sent", &self.sent),
            (
                "slots_missed",
                "Slots that passed without a task",
                &self.missed,
            ),
            (
                "slots_doubled",
                "Slots that would have been sent a second time; more than 0 is a fault of beat",
                &self.doubled,
            ),
            ("terms", "Times that this beat began to lead", &self.terms),
        ];
        for (name, help, counter) in counters {
            self.registry.register(name, help, counter.clone());
        }
        let gauges = [
            ("leader", "1 while this beat leads", &self.leader),
            ("entries", "Entries that the leader sends", &self.entries),
            (
                "entries_wrong",
                "Entries that cannot be used",
                &self.problems,
            ),
        ];
        for (name, help, gauge) in gauges {
            self.registry.register(name, help, gauge.clone());
        }
        self.registry.register(
            "clock_skew_seconds",
            "How far this machine's clock is ahead of the broker's, by which beat goes",
            self.skew.clone(),
        );
    }

    pub(crate) fn sent(&self, lateness: Duration) {
        self.sent.inc();
        self.lateness.observe(lateness.as_secs_f64());
    }

    pub(crate) fn missed(&self, slots: u64) {
        self.missed.inc_by(slots);
    }

    pub(crate) fn doubled(&self) {
        self.doubled.inc();
    }

    pub(crate) fn began_to_lead(&self) {
        self.terms.inc();
    }

    pub(crate) fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    pub(crate) fn entries(&self, entries: usize, wrong: usize) {
        self.entries.set(entries as i64);
        self.problems.set(wrong as i64);
    }

    pub(crate) fn skew(&self, ahead: SignedDuration) {
        self.skew.set(ahead.as_secs_f64());
    }

    /// Everything as OpenMetrics text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        text::encode(&mut text, &self.registry).expect("a text takes whatever is written to it");
        text
    }
}
