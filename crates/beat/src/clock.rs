//! A machine's wall clock, so that a test can hold it. What beat goes by is the broker's.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

/// Tells the time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock {
    /// By how much it is shifted: so drills have clocks that differ.
    pub offset: SignedDuration,
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now() + self.offset
    }
}
