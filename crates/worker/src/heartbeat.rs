//! Tells monitors that the worker lives: `worker-online`, `worker-heartbeat`, `worker-offline`.

use std::sync::Arc;
use std::time::Duration;

use protocol::Map;
use protocol::event::Software;
use protocol::event::{Event, Heartbeat, Stamp};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::events::{publish, stamp};

/// Celery's interval, told by workers that send no heartbeats on their own.
const DEFAULT: Duration = Duration::from_secs(2);

/// The actor that sends worker events.
#[derive(Debug)]
pub(crate) struct Pulse {
    engine: Arc<Engine>,
}

impl Pulse {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// Sends `worker-online`, then heartbeats until cancelled.
    pub(crate) async fn run(self, stop: CancellationToken) {
        send(&self.engine, Event::worker_online).await;
        let Some(every) = self.engine.settings.heartbeat_interval else {
            return;
        };
        let mut ticks = interval(every.max(Duration::from_millis(10)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => send(&self.engine, Event::worker_heartbeat).await,
            }
        }
    }
}

/// Sends a heartbeat because remote control has asked for it: with the fields that Celery gives it then.
pub(crate) async fn send_now(engine: &Engine) {
    if !engine.settings.sends_worker_events() {
        return;
    }
    let Software {
        ident,
        version,
        system,
    } = software();
    let mut fields = Map::from_iter([("freq", 5_i64)]);
    fields.extend([("sw_ident", ident), ("sw_ver", version), ("sw_sys", system)]);
    let event = Event::new(stamp(engine), "worker-heartbeat", fields);
    publish(&engine.client, &[event]).await;
}

/// Sends one worker event of this kind.
pub(crate) async fn send(engine: &Engine, kind: fn(Stamp<'_>, &Heartbeat) -> Event) {
    if !engine.settings.sends_worker_events() {
        return;
    }
    let every = engine.settings.heartbeat_interval.unwrap_or(DEFAULT);
    let heartbeat = Heartbeat {
        freq: every.as_secs_f64(),
        active: count(engine.activity.active()),
        processed: i64::try_from(engine.activity.processed()).unwrap_or(i64::MAX),
        loadavg: load_average().unwrap_or_default(),
        software: software(),
    };
    let event = kind(stamp(engine), &heartbeat);
    publish(&engine.client, &[event]).await;
}

fn software() -> Software {
    Software {
        ident: "celeriac".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        system: "Linux".to_owned(),
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn load_average() -> Option<[f64; 3]> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    let mut numbers = text
        .split_ascii_whitespace()
        .map_while(|word| word.parse().ok());
    Some([numbers.next()?, numbers.next()?, numbers.next()?])
}
