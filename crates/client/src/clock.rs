//! The process's Lamport clock, shared by everything that sends or receives requests and events.

use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::LamportClock;
use protocol::event::Stamp;

/// A Lamport clock that many tasks may move.
#[derive(Debug, Default)]
pub struct SharedClock(Mutex<LamportClock>);

impl SharedClock {
    /// Moves on by one, for something that is sent.
    pub fn forward(&self) -> u64 {
        self.lock().forward()
    }

    /// Moves past a clock that was received; nonsense is ignored.
    pub fn adjust(&self, received: Option<i64>) {
        if let Some(received) = received.and_then(|clock| u64::try_from(clock).ok()) {
            self.lock().adjust(received);
        }
    }

    /// Where it stands.
    pub fn value(&self) -> u64 {
        self.lock().value()
    }

    /// The stamp of an event that `hostname` sends now.
    pub fn stamp<'a>(&self, hostname: &'a str) -> Stamp<'a> {
        let now = jiff::Timestamp::now();
        Stamp {
            hostname,
            pid: std::process::id(),
            utcoffset: hours_west(now),
            clock: self.forward(),
            timestamp: now.as_duration().as_secs_f64(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, LamportClock> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// This machine's distance from UTC, counted as Python's `time.timezone`: receivers take their own off it.
fn hours_west(now: jiff::Timestamp) -> f64 {
    let east = jiff::tz::TimeZone::system().to_offset(now).seconds();
    f64::from(-east) / 3_600.0
}
