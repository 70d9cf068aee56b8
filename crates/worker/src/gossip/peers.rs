//! The table of the other workers.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use protocol::{Event, Value};
use tracing::{debug, info};

/// Seconds between heartbeats of a worker that does not say.
const FREQ: f64 = 60.0;
/// How many workers are kept in mind.
const MOST: usize = 10_000;

/// Workers by name, each with the time until which it counts as alive: twice its heartbeat's interval.
#[derive(Debug, Default)]
pub(super) struct Peers(HashMap<String, Instant>);

impl Peers {
    /// An event of another worker.
    pub(super) fn heard(&mut self, event: &Event, now: Instant) {
        let hostname = event.hostname.as_str();
        if event.kind == "worker-offline" {
            if self.0.remove(hostname).is_some() {
                debug!(hostname, "a worker has left");
            }
            return;
        }
        if self.0.len() >= MOST && !self.0.contains_key(hostname) {
            return;
        }
        let freq = event.fields.get("freq").and_then(Value::as_f64);
        let freq = freq.filter(|freq| *freq > 0.0).unwrap_or(FREQ);
        let alive = Duration::try_from_secs_f64(freq * 2.0).unwrap_or(Duration::from_secs(3_600));
        let until = now + alive.min(Duration::from_secs(3_600));
        if self.0.insert(hostname.to_owned(), until).is_none() {
            debug!(hostname, "a worker has joined");
        }
    }

    /// How many are alive.
    pub(super) fn alive(&self, now: Instant) -> usize {
        self.0.values().filter(|until| now < **until).count()
    }

    /// Forgets those that are not.
    pub(super) fn drop_lost(&mut self, now: Instant) {
        self.0.retain(|hostname, until| {
            let alive = now < *until;
            if !alive {
                info!(hostname, "missed heartbeats of a worker");
            }
            alive
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, hostname: &str, freq: f64) -> Event {
        Event {
            kind: kind.into(),
            hostname: hostname.into(),
            fields: protocol::Map::from_iter([("freq", freq)]),
            ..Event::default()
        }
    }

    #[test]
    fn a_worker_is_alive_for_two_heartbeats() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        peers.heard(&event("worker-online", "a", 2.0), now);
        peers.heard(&event("worker-heartbeat", "b", 10.0), now);
        assert_eq!(peers.alive(now + Duration::from_secs(3)), 2);
        assert_eq!(peers.alive(now + Duration::from_secs(5)), 1);
        peers.drop_lost(now + Duration::from_secs(5));
        assert_eq!(peers.0.len(), 1);
    }

    #[test]
    fn a_worker_that_says_goodbye_is_gone() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        peers.heard(&event("worker-online", "a", 2.0), now);
        peers.heard(&event("worker-offline", "a", 2.0), now);
        assert_eq!(peers.alive(now), 0);
    }

    #[test]
    fn a_senseless_interval_does_no_harm() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        for freq in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
            peers.heard(&event("worker-heartbeat", &freq.to_string(), freq), now);
        }
        assert_eq!(peers.alive(now), 4);
    }
}
