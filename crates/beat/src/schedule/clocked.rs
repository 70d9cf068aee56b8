//! Once, at one time: Celery's `clocked`.

use std::fmt;

use jiff::Timestamp;

/// A single run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocked(Timestamp);

impl Clocked {
    /// At this time.
    pub fn new(at: Timestamp) -> Self {
        Self(at)
    }

    /// The time.
    pub fn at(&self) -> Timestamp {
        self.0
    }

    /// The run, if it is after `last`.
    pub fn next_after(&self, last: Timestamp) -> Option<Timestamp> {
        Some(self.0).filter(|at| *at > last)
    }
}

impl fmt::Display for Clocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "once at {}", self.0)
    }
}
