//! A provider's limits kept: a token bucket for each second, a count for each day; by all processes that share a file.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::model::Limits;

/// What is left of a provider's limits.
#[derive(Debug)]
pub(super) struct Bucket {
    limits: Limits,
    /// This process's knowledge; the file's is newer where there is one.
    state: Mutex<State>,
    file: Option<PathBuf>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    tokens: f64,
    filled: Timestamp,
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
    /// With a file, all processes that name it keep the limits together.
    pub(super) fn new(limits: Limits, file: Option<PathBuf>) -> Bucket {
        let limited = limits.per_second.is_some() || limits.per_day.is_some();
        Bucket {
            state: Mutex::new(State {
                tokens: capacity(limits.per_second.unwrap_or_default()),
                filled: Timestamp::UNIX_EPOCH,
                day: Date::MIN,
                used: 0,
            }),
            file: file.filter(|_| limited),
            limits,
        }
    }

    /// Takes a token, or tells when there will be one.
    pub(super) fn take(&self, now: Timestamp) -> Permit {
        self.with_state(|state| state.take(self.limits, now))
    }

    /// Requests that are left today.
    pub(super) fn left_today(&self, now: Timestamp) -> Option<u32> {
        let most = self.limits.per_day?;
        self.with_state(|state| {
            state.turn(now);
            Some(most.saturating_sub(state.used))
        })
    }

    /// A file that cannot be used must not keep prices away: then the process counts for itself.
    fn with_state<T>(&self, change: impl Fn(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = &self.file else {
            return change(&mut state);
        };
        match shared(file, &mut state, &change) {
            Ok(result) => result,
            Err(error) => {
                warn!(file = %file.display(), %error, "a provider's limits are kept by this process alone");
                change(&mut state)
            }
        }
    }
}

/// Changes the state in a file that is locked meanwhile. A file that is new or cannot be read begins with ours.
fn shared<T>(path: &Path, state: &mut State, change: impl Fn(&mut State) -> T) -> io::Result<T> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let options = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path);
    let mut file = options?;
    file.lock()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    if let Ok(found) = serde_json::from_str(&text) {
        *state = found;
    }
    let result = change(state);
    let text = serde_json::to_string(state)?;
    file.rewind()?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)?;
    Ok(result)
}

impl State {
    fn take(&mut self, limits: Limits, now: Timestamp) -> Permit {
        self.turn(now);
        if limits.per_day.is_some_and(|most| self.used >= most) {
            return Permit::Tomorrow(until_midnight(now));
        }
        if let Some(rate) = limits.per_second.filter(|rate| *rate > 0.0) {
            let passed = now.duration_since(self.filled).as_secs_f64().max(0.0);
            self.tokens = (self.tokens + passed * rate).min(capacity(rate));
            self.filled = now;
            if self.tokens < 1.0 {
                return Permit::Later(Duration::from_secs_f64((1.0 - self.tokens) / rate));
            }
            self.tokens -= 1.0;
        }
        self.used += 1;
        Permit::Now
    }

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
        let bucket = Bucket::new(limits(Some(2.0), None), None);
        let start: Timestamp = "2013-03-01T12:00:00Z".parse().unwrap();
        let take = |after: u64| bucket.take(start + Duration::from_millis(after));
        assert_eq!((take(0), take(0)), (Permit::Now, Permit::Now));
        assert!(matches!(take(0), Permit::Later(_)));
        assert_eq!(take(600), Permit::Now);
        assert!(matches!(take(600), Permit::Later(_)));
    }

    #[test]
    fn a_day_s_quota_comes_back_at_midnight() {
        let bucket = Bucket::new(limits(None, Some(1)), None);
        let evening: Timestamp = "2013-03-01T23:00:00Z".parse().unwrap();
        assert_eq!(bucket.take(evening), Permit::Now);
        assert_eq!(bucket.left_today(evening), Some(0));
        let hour = Duration::from_secs(3600);
        assert_eq!(bucket.take(evening), Permit::Tomorrow(hour));
        assert_eq!(bucket.take(evening + hour), Permit::Now);
    }

    #[test]
    fn processes_with_one_file_share_the_limits_and_a_damaged_file_stops_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("quotas/test.json");
        let bucket = || Bucket::new(limits(Some(100.0), Some(3)), Some(file.clone()));
        let noon: Timestamp = "2013-03-01T12:00:00Z".parse().unwrap();
        let (one, other) = (bucket(), bucket());
        assert_eq!(
            [one.take(noon), other.take(noon), one.take(noon)],
            [Permit::Now; 3]
        );
        assert!(matches!(other.take(noon), Permit::Tomorrow(_)));
        assert_eq!(bucket().left_today(noon), Some(0), "after a restart");
        std::fs::write(&file, "{").unwrap();
        assert_eq!(bucket().take(noon), Permit::Now);
        let nowhere = Bucket::new(limits(None, Some(1)), Some("/proc/none/test.json".into()));
        assert_eq!(nowhere.take(noon), Permit::Now);
        assert!(matches!(nowhere.take(noon), Permit::Tomorrow(_)));
    }
}
