//! Events about workers.

use super::{Event, Stamp};
use crate::value::{Map, Value};

/// What a worker is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Software {
    /// Name of the software.
    pub ident: String,
    /// Its version.
    pub version: String,
    /// Operating system.
    pub system: String,
}

/// How a worker does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heartbeat {
    /// Seconds between heartbeats.
    pub freq: f64,
    /// Tasks running now.
    pub active: i64,
    /// Tasks run since the start.
    pub processed: i64,
    /// System load over 1, 5 and 15 minutes.
    pub loadavg: [f64; 3],
    /// What the worker is.
    pub software: Software,
}

impl Event {
    /// `worker-online`.
    pub fn worker_online(stamp: Stamp<'_>, heartbeat: &Heartbeat) -> Self {
        Self::new(stamp, "worker-online", beat(heartbeat))
    }

    /// `worker-heartbeat`.
    pub fn worker_heartbeat(stamp: Stamp<'_>, heartbeat: &Heartbeat) -> Self {
        Self::new(stamp, "worker-heartbeat", beat(heartbeat))
    }

    /// `worker-offline`.
    pub fn worker_offline(stamp: Stamp<'_>, heartbeat: &Heartbeat) -> Self {
        Self::new(stamp, "worker-offline", beat(heartbeat))
    }

    /// `worker-elect`: the wish that one worker runs `action`.
    pub fn worker_elect(stamp: Stamp<'_>, id: &str, topic: &str, action: impl Into<Value>) -> Self {
        let mut fields = Map::from_iter([("id", id), ("topic", topic)]);
        fields.insert("action", action);
        fields.insert("cver", 1_i64);
        Self::new(stamp, "worker-elect", fields)
    }

    /// `worker-elect-ack`.
    pub fn worker_elect_ack(stamp: Stamp<'_>, id: &str) -> Self {
        Self::new(stamp, "worker-elect-ack", Map::from_iter([("id", id)]))
    }
}

fn beat(heartbeat: &Heartbeat) -> Map {
    let mut fields = Map::new();
    fields.insert("freq", heartbeat.freq);
    fields.insert("active", heartbeat.active);
    fields.insert("processed", heartbeat.processed);
    fields.insert("loadavg", Value::from(heartbeat.loadavg.to_vec()));
    fields.insert("sw_ident", heartbeat.software.ident.as_str());
    fields.insert("sw_ver", heartbeat.software.version.as_str());
    fields.insert("sw_sys", heartbeat.software.system.as_str());
    fields
}
