//! A circuit breaker: a provider that keeps failing is left alone for a while, then one request tries it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Counts failures in a row.
#[derive(Debug)]
pub(super) struct Circuit {
    most: u32,
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    open_until: Option<Instant>,
}

impl Circuit {
    /// Opens for `pause` after `most` failures in a row.
    pub(super) fn new(most: u32, pause: Duration) -> Circuit {
        Circuit {
            most,
            pause,
            state: Mutex::default(),
        }
    }

    /// How long no request may leave; none when one may.
    pub(super) fn open_for(&self, now: Instant) -> Option<Duration> {
        let until = self.state().open_until?;
        Some(until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }

    /// Notes how a request ended. After an open time a single failure opens again.
    pub(super) fn note(&self, failed: bool, now: Instant) {
        let mut state = self.state();
        if !failed {
            *state = State::default();
            return;
        }
        state.failures += 1;
        if state.failures >= self.most {
            state.open_until = Some(now + self.pause);
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_and_tries_again_later() {
        let (circuit, start) = (Circuit::new(2, Duration::from_secs(60)), Instant::now());
        circuit.note(true, start);
        circuit.note(false, start);
        circuit.note(true, start);
        assert_eq!(circuit.open_for(start), None);
        circuit.note(true, start);
        assert_eq!(circuit.open_for(start), Some(Duration::from_secs(60)));
        let later = start + Duration::from_secs(61);
        assert_eq!(circuit.open_for(later), None);
        circuit.note(true, later);
        assert!(circuit.open_for(later).is_some());
    }
}
