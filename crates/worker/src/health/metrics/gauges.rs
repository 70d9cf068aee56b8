//! What is read when somebody asks.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::add;
use super::labels::Queue;
use super::process::Process;
use crate::engine::Engine;

type Decimal = Gauge<f64, AtomicU64>;

#[derive(Debug)]
pub(super) struct Gauges {
    is_ready: Gauge,
    connected: Gauge,
    slots: Gauge,
    active: Gauge,
    held: Gauge,
    held_bytes: Gauge,
    uptime: Decimal,
    lease_age: Decimal,
    memory: Gauge,
    cpu: Decimal,
    threads: Gauge,
    ready: Family<Queue, Gauge>,
}

impl Gauges {
    pub(super) fn register(registry: &mut Registry) -> Self {
        Self {
            is_ready: add(
                registry,
                "ready",
                "Whether the worker consumes, as /readyz says",
                Gauge::default(),
            ),
            connected: add(
                registry,
                "broker_connected",
                "Whether the connection to the broker stands",
                Gauge::default(),
            ),
            slots: add(
                registry,
                "slots",
                "How many tasks can run at once",
                Gauge::default(),
            ),
            active: add(
                registry,
                "slots_active",
                "How many tasks run",
                Gauge::default(),
            ),
            held: add(
                registry,
                "messages_held",
                "Messages that the worker holds, running ones included",
                Gauge::default(),
            ),
            held_bytes: add(
                registry,
                "messages_held_bytes",
                "The size of the messages that the worker holds",
                Gauge::default(),
            ),
            uptime: add(
                registry,
                "uptime_seconds",
                "How long the worker has run",
                Decimal::default(),
            ),
            lease_age: add(
                registry,
                "lease_age_seconds",
                "How long ago the broker last heard that the worker lives",
                Decimal::default(),
            ),
            memory: add(
                registry,
                "process_resident_memory_bytes",
                "Resident memory of the worker's process, without its children",
                Gauge::default(),
            ),
            cpu: add(
                registry,
                "process_cpu_seconds",
                "Processor time that the worker's process has used",
                Decimal::default(),
            ),
            threads: add(
                registry,
                "process_threads",
                "Threads of the worker's process",
                Gauge::default(),
            ),
            ready: add(
                registry,
                "queue_ready",
                "Ready messages when the worker last looked",
                Family::default(),
            ),
        }
    }

    pub(super) fn ready(&self, queue: Arc<str>, messages: u64) {
        self.ready
            .get_or_create(&Queue { queue })
            .set(number(messages));
    }

    pub(super) fn read(&self, engine: &Engine) {
        self.is_ready
            .set(engine.vitals.readiness().is_ready().into());
        self.connected.set(engine.vitals.outage().is_none().into());
        self.slots.set(count(engine.pool.concurrency()));
        self.active.set(count(engine.activity.active()));
        self.held.set(count(engine.activity.count()));
        self.held_bytes.set(count(engine.activity.bytes()));
        self.uptime.set(engine.started.elapsed().as_secs_f64());
        if let Some(age) = engine.vitals.lease_age() {
            self.lease_age.set(age.as_secs_f64());
        }
        let process = Process::read();
        self.memory.set(number(process.resident));
        self.threads.set(number(process.threads));
        self.cpu.set(process.cpu.as_secs_f64());
    }
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn count(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
