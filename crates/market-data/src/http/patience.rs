//! How often a request is tried, and how long it waits between.

use std::time::Duration;

use crate::error::Error;

/// Pauses grow up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A provider that wants to be left alone for longer is not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// Tries of an answer that cannot be read.
const TRIES_OF_BAD_PAYLOAD: u32 = 2;

/// Tries, and the pause before the second one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) tries: u32,
    pub(super) pause: Duration,
}

impl Patience {
    /// The pause before the next try after `tried` ones of which the last met `error`; none when there is no next one.
    pub(super) fn pause(&self, error: &Error, tried: u32) -> Option<Duration> {
        let tries = match error {
            Error::BadPayload { .. } => self.tries.min(TRIES_OF_BAD_PAYLOAD),
            _ => self.tries,
        };
        let wait = error.retry_after().unwrap_or_default();
        if !error.is_retryable() || tried >= tries || wait > LONGEST_WAIT {
            return None;
        }
        let doubled = self.pause.saturating_mul(2_u32.saturating_pow(tried - 1));
        let jitter = doubled.min(LONGEST_PAUSE).mul_f64(fastrand::f64());
        Some(jitter.max(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        tries: 4,
        pause: Duration::from_millis(500),
    };

    fn limited(wait: u64) -> Error {
        Error::RateLimited {
            provider: "p".to_owned(),
            problem: String::new(),
            wait: Some(Duration::from_secs(wait)),
        }
    }

    #[test]
    fn pauses_are_bounded_and_what_the_provider_says_is_the_least() {
        for tried in 1..4 {
            let longest = Duration::from_millis(500 << (tried - 1));
            let pause = PATIENCE.pause(&Error::unavailable("p", ""), tried);
            assert!(pause.unwrap() <= longest);
        }
        assert!(PATIENCE.pause(&limited(7), 1).unwrap() >= Duration::from_secs(7));
    }

    #[test]
    fn the_last_try_has_no_next_one() {
        assert_eq!(PATIENCE.pause(&Error::unavailable("p", ""), 4), None);
        assert_eq!(PATIENCE.pause(&Error::bad_payload("p", ""), 2), None);
        assert_eq!(PATIENCE.pause(&Error::not_found("p", "X"), 1), None);
        assert_eq!(PATIENCE.pause(&limited(121), 1), None);
    }
}
