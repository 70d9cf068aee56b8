//! A provider's limits kept: a token bucket for each second, a count for each day.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::model::Limits;

/// What is left of a provider's limits in this process.
#[derive(Debug)]
pub(super) struct Bucket {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: f64,
    filled: Instant,
    day: Date,
    used: u32,
}

/// Whether a request may leave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Permit {
    /// Now.
    Now,
    /// After this time ask again.
    Later(Duration),
    /// Today no more; for this time.
    Tomorrow(Duration),
}

impl Bucket {
    pub(super) fn new(limits: Limits) -> Bucket {
        Bucket {
            state: Mutex::new(State {
                tokens: capacity(limits.per_second.unwrap_or_default()),
                filled: Instant::now(),
                day: Date::MIN,
                used: 0,
            }),
            limits,
        }
    }

    /// Takes a token, or tells when there will be one.
    pub(super) fn take(&self, now: Timestamp, at: Instant) -> Permit {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.turn(now);
        if self.limits.per_day.is_some_and(|most| state.used >= most) {
            return Permit::Tomorrow(until_midnight(now));
        }
        if let Some(rate) = self.limits.per_second.filter(|rate| *rate > 0.0) {
            let passed = at.saturating_duration_since(state.filled).as_secs_f64();
            state.tokens = (state.tokens + passed * rate).min(capacity(rate));
            state.filled = at;
            if state.tokens < 1.0 {
                return Permit::Later(Duration::from_secs_f64((1.0 - state.tokens) / rate));
            }
            state.tokens -= 1.0;
        }
        state.used += 1;
        Permit::Now
    }

    /// Requests that are left today.
    pub(super) fn left_today(&self, now: Timestamp) -> Option<u32> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.turn(now);
        Some(self.limits.per_day?.saturating_sub(state.used))
    }
}

impl State {
    /// Days are UTC's, as most providers count.
    fn turn(&mut self, now: Timestamp) {
        let today = now.to_zoned(TimeZone::UTC).date();
        if self.day != today {
            (self.day, self.used) = (today, 0);
        }
    }
}

/// A bucket holds the tokens of a second, and one at least.
fn capacity(rate: f64) -> f64 {
    rate.max(1.0)
}

fn until_midnight(now: Timestamp) -> Duration {
    let today = now.to_zoned(TimeZone::UTC).date();
    let midnight = today.saturating_add(1.day()).to_zoned(TimeZone::UTC);
    let left = midnight.map(|midnight| midnight.timestamp().duration_since(now));
    left.ok()
        .and_then(|left| left.try_into().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(per_second: Option<f64>, per_day: Option<u32>) -> Limits {
        Limits {
            per_second,
            per_day,
            timeout: None,
        }
    }

    #[test]
    fn tokens_come_back_with_time() {
        let (bucket, start) = (Bucket::new(limits(Some(2.0), None)), Instant::now());
        let take =
            |after: u64| bucket.take(Timestamp::UNIX_EPOCH, start + Duration::from_millis(after));
        assert_eq!((take(0), take(0)), (Permit::Now, Permit::Now));
        assert!(matches!(take(0), Permit::Later(_)));
        assert_eq!(take(600), Permit::Now);
        assert!(matches!(take(600), Permit::Later(_)));
    }

    #[test]
    fn a_day_s_quota_comes_back_at_midnight() {
        let bucket = Bucket::new(limits(None, Some(1)));
        let evening: Timestamp = "2013-03-01T23:00:00Z".parse().unwrap();
        assert_eq!(bucket.take(evening, Instant::now()), Permit::Now);
        assert_eq!(bucket.left_today(evening), Some(0));
        let hour = Duration::from_secs(3600);
        assert_eq!(bucket.take(evening, Instant::now()), Permit::Tomorrow(hour));
        assert_eq!(bucket.take(evening + hour, Instant::now()), Permit::Now);
    }
}
