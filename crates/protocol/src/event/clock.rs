//! The logical clock that orders events of several processes.

/// A Lamport clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LamportClock(u64);

impl LamportClock {
    /// A clock that stands at `value`.
    pub fn new(value: u64) -> Self {
        Self(value)
    }

    /// Where the clock stands.
    pub fn value(self) -> u64 {
        self.0
    }

    /// Moves on by one, for something that is sent.
    pub fn forward(&mut self) -> u64 {
        self.0 = self.0.saturating_add(1);
        self.0
    }

    /// Moves past a clock that was received.
    pub fn adjust(&mut self, other: u64) -> u64 {
        self.0 = self.0.max(other).saturating_add(1);
        self.0
    }
}
