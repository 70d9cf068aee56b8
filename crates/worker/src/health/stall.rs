//! The judgement on a worker that takes nothing: when to suspect, when to repair, when to give up. It looks at nothing itself.
//!
//! It counts looks, not time: a process that was frozen has not had its chance.

use std::time::Duration;

/// Looks within the time after which a stall is called one.
const LOOKS: u32 = 6;
/// Bounds of the time between two looks.
const SHORTEST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(5);

/// What follows from one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing.
    Fine,
    /// It has stalled for its whole time: a new consumer may help.
    Repair,
    /// It has stalled again after the repair.
    GiveUp,
    /// It has stalled, and what was done about it has not had its time yet.
    Wait,
}

/// How long the worker has been idle beside ready work.
#[derive(Debug)]
pub(crate) struct Stall {
    limit: Duration,
    idle: u32,
}

impl Stall {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, idle: 0 }
    }

    /// The time between two looks.
    pub(crate) fn interval(&self) -> Duration {
        (self.limit / LOOKS).clamp(SHORTEST, LONGEST)
    }

    /// How long the worker has been idle.
    pub(crate) fn duration(&self) -> Duration {
        self.interval() * self.idle
    }

    /// A look at the worker: whether it has been idle beside ready work since the one before.
    pub(crate) fn look(&mut self, idle: bool) -> Step {
        if !idle {
            self.idle = 0;
            return Step::Fine;
        }
        self.idle += 1;
        let limit = self.looks();
        match self.idle {
            looks if looks < limit => Step::Fine,
            looks if looks == limit => Step::Repair,
            looks if looks < 2 * limit => Step::Wait,
            _ => Step::GiveUp,
        }
    }

    fn looks(&self) -> u32 {
        let looks = self.limit.as_millis() / self.interval().as_millis().max(1);
        u32::try_from(looks).unwrap_or(u32::MAX / 2).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_repaired_once_and_then_given_up() {
        let mut stall = Stall::new(Duration::from_secs(30));
        assert_eq!(stall.interval(), Duration::from_secs(5));
        let steps: Vec<_> = (0..12).map(|_| stall.look(true)).collect();
        let expected = [
            [Step::Fine; 5].as_slice(),
            &[Step::Repair],
            &[Step::Wait; 5],
            &[Step::GiveUp],
        ];
        assert_eq!(steps, expected.concat());
    }

    #[test]
    fn whoever_takes_something_begins_anew() {
        let mut stall = Stall::new(Duration::from_secs(30));
        for _ in 0..8 {
            stall.look(true);
        }
        assert_eq!(stall.look(false), Step::Fine);
        assert_eq!(stall.duration(), Duration::ZERO);
        let repairs = (0..7).filter(|_| stall.look(true) == Step::Repair).count();
        assert_eq!(repairs, 1);
    }

    #[test]
    fn a_long_limit_has_more_looks() {
        let mut stall = Stall::new(Duration::from_secs(600));
        let first = (1..).find(|_| stall.look(true) == Step::Repair);
        assert_eq!(first, Some(120));
    }
}
