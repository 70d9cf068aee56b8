//! One token bucket, and where the messages wait that find it empty.

use std::time::{Duration, Instant};

/// A message whose token is due within this waits here.
const SOON: Duration = Duration::from_secs(1);
/// The first in line waits here for longer, so that somebody is at hand when the token comes.
const FIRST: Duration = Duration::from_secs(10);
/// No message goes back to the server for longer: a rate may change, and other workers have tokens of their own.
const FARTHEST: Duration = Duration::from_secs(120);

/// When a message may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// At once; the token is taken.
    Now,
    /// At this time, and it may wait for it here; the token is taken.
    Soon(Instant),
    /// It goes back to the server for so long, and asks again.
    Later(Duration),
}

/// A bucket of one token, filled again at a constant rate.
#[derive(Debug)]
pub(super) struct Bucket {
    interval: Duration,
    /// When the next token is there that nobody waits for.
    next: Instant,
    /// The token that the last message was sent away for; they share the tokens of the next `FARTHEST` in turn.
    promised: Instant,
}

impl Bucket {
    /// A full bucket; `None` without a limit.
    pub(super) fn new(per_second: f64, now: Instant) -> Option<Self> {
        let interval = Duration::try_from_secs_f64(1.0 / per_second).ok()?;
        (per_second > 0.0).then_some(Self {
            interval,
            next: now,
            promised: now,
        })
    }

    /// The same bucket, full.
    pub(super) fn filled(self, now: Instant) -> Self {
        Self {
            next: now,
            promised: now,
            ..self
        }
    }

    /// Takes a token, or says when to ask again. `room`: whether one more may wait here. `first`: whether none of this type waits here.
    pub(super) fn take(&mut self, now: Instant, room: bool, first: bool) -> Turn {
        let due = self.next.max(now);
        let wait = due - now;
        if wait.is_zero() {
            self.next = now + self.interval;
            return Turn::Now;
        }
        if room && (wait <= SOON || (first && wait <= FIRST)) {
            self.next = due + self.interval;
            return Turn::Soon(due);
        }
        Turn::Later(self.promise(now, due))
    }

    fn promise(&mut self, now: Instant, due: Instant) -> Duration {
        let next = self.promised + self.interval;
        self.promised = if next > now + FARTHEST {
            due
        } else {
            next.max(due)
        };
        (self.promised - now).min(FARTHEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn no_rate_is_no_limit() {
        let now = Instant::now();
        assert!(Bucket::new(0.0, now).is_none());
        assert!(Bucket::new(-1.0, now).is_none());
    }

    #[test]
    fn a_full_bucket_gives_one_token_and_the_next_after_an_interval() {
        let now = Instant::now();
        let mut bucket = Bucket::new(2.0, now).unwrap();
        assert_eq!(bucket.take(now, true, true), Turn::Now);
        assert_eq!(bucket.take(now, true, true), Turn::Soon(now + seconds(0.5)));
        assert_eq!(
            bucket.take(now, true, false),
            Turn::Soon(now + seconds(1.0))
        );
        assert_eq!(bucket.take(now, true, false), Turn::Later(seconds(1.5)));
        let idle = now + seconds(60.0);
        assert_eq!(bucket.take(idle, true, true), Turn::Now);
        assert!(
            matches!(bucket.take(idle, true, true), Turn::Soon(_)),
            "it holds one token only"
        );
    }

    #[test]
    fn without_room_all_are_sent_away_each_for_a_token_of_its_own() {
        let now = Instant::now();
        let mut bucket = Bucket::new(1.0, now).unwrap();
        bucket.take(now, false, true);
        let waits: Vec<_> = (0..3).map(|_| bucket.take(now, false, true)).collect();
        assert_eq!(
            waits,
            [1.0, 2.0, 3.0].map(|wait| Turn::Later(seconds(wait)))
        );
    }

    #[test]
    fn nobody_is_sent_away_for_long_and_all_tokens_of_that_time_are_promised() {
        let now = Instant::now();
        let mut bucket = Bucket::new(0.1, now).unwrap();
        bucket.take(now, false, true);
        let mut waits = std::collections::BTreeSet::new();
        for _ in 0..1_000 {
            match bucket.take(now, false, true) {
                Turn::Later(wait) => waits.insert(wait),
                other => panic!("{other:?}"),
            };
        }
        let wanted: Vec<_> = (1..=12)
            .map(|turn| seconds(f64::from(turn) * 10.0))
            .collect();
        assert_eq!(waits.into_iter().collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn an_hourly_rate_does_not_send_away_for_an_hour() {
        let now = Instant::now();
        let mut bucket = Bucket::new(1.0 / 3_600.0, now).unwrap();
        bucket.take(now, true, true);
        assert_eq!(bucket.take(now, true, true), Turn::Later(FARTHEST));
    }
}
