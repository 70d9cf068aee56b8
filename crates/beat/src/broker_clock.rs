//! The broker's clock, as far as it is known here. Every beat goes by it, so that they all agree on what is due whatever their own
//! machines' clocks show. It owns the reckoning; when the broker is asked is the beat's affair.
//!
//! Between two answers time goes by the machine's steady clock, so setting the machine's clock moves nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use broker::{Coordinator, Result};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::clock::Clock;

/// A machine's clock that is off by more should be mended: its tasks' expiry times are wrong by as much.
const TOLERATED: SignedDuration = SignedDuration::from_secs(1);

/// Shows the broker's time.
#[derive(Debug)]
pub(crate) struct BrokerClock {
    /// This machine's clock: only compared, and shown while the broker has not told its time yet.
    own: Arc<dyn Clock>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    reading: Option<Reading>,
    /// How far the machine's clock is ahead.
    skew: SignedDuration,
}

/// What the broker's clock shows at a moment of the steady clock.
#[derive(Clone, Copy, Debug)]
struct Reading {
    shown: Timestamp,
    at: Instant,
}

impl Reading {
    fn at(&self, moment: Instant) -> Timestamp {
        let elapsed = moment.saturating_duration_since(self.at);
        later(self.shown, elapsed)
    }
}

/// A question for the time and its answer.
#[derive(Clone, Copy, Debug)]
struct Answer {
    asked: Instant,
    told: Timestamp,
    answered: Instant,
}

impl Answer {
    /// The broker's clock showed what it told at some moment between question and answer. Where what is known already fits, it
    /// stays: so the quickest answers count most, and a slow one disturbs nothing.
    fn reading(&self, known: Option<Reading>) -> Reading {
        let on_the_way = self.answered.saturating_duration_since(self.asked);
        let shown = match known {
            Some(known) => known
                .at(self.answered)
                .clamp(self.told, later(self.told, on_the_way)),
            None => later(self.told, on_the_way / 2),
        };
        Reading {
            shown,
            at: self.answered,
        }
    }
}

impl BrokerClock {
    /// Nothing is known of the broker's clock yet.
    pub(crate) fn new(own: Arc<dyn Clock>) -> Self {
        Self {
            own,
            known: Mutex::default(),
        }
    }

    /// Asks the broker, unless that was done so lately.
    ///
    /// # Errors
    /// When the broker cannot be asked.
    pub(crate) async fn ask(&self, coordinator: &dyn Coordinator, every: Duration) -> Result<()> {
        let known = self.lock().reading;
        if known.is_some_and(|known| known.at.elapsed() < every) {
            return Ok(());
        }
        let asked = Instant::now();
        let told = coordinator.now().await?;
        let answered = Instant::now();
        self.learn(Answer {
            asked,
            told,
            answered,
        });
        Ok(())
    }

    /// How far this machine's clock is ahead of the broker's.
    pub(crate) fn skew(&self) -> SignedDuration {
        self.lock().skew
    }

    fn learn(&self, answer: Answer) {
        let own = self.own.now();
        let mut known = self.lock();
        let reading = answer.reading(known.reading);
        let skew = own.duration_since(reading.at(Instant::now()));
        report(known.skew, skew);
        *known = Known {
            reading: Some(reading),
            skew,
        };
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for BrokerClock {
    fn now(&self) -> Timestamp {
        let reading = self.lock().reading;
        reading.map_or_else(|| self.own.now(), |reading| reading.at(Instant::now()))
    }
}

fn report(before: SignedDuration, now: SignedDuration) {
    let [was_off, is_off] = [before, now].map(|skew| skew.abs() > TOLERATED);
    let ahead = now.as_secs_f64();
    if is_off && !was_off {
        tracing::warn!(
            seconds_ahead = ahead,
            "this machine's clock is not the broker's; beat goes by the broker's"
        );
    } else if was_off && !is_off {
        tracing::info!(
            seconds_ahead = ahead,
            "this machine's clock is the broker's again"
        );
    }
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        let noon: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        noon + SignedDuration::from_millis(millis)
    }

    /// What is known after answers: milliseconds of question and answer on the steady clock, and what was told. All of it at 10 s.
    fn known(answers: &[(u64, u64, i64)]) -> Timestamp {
        let start = Instant::now();
        let moment = |millis| start + Duration::from_millis(millis);
        let mut known = None;
        for (asked, answered, told) in answers {
            let answer = Answer {
                asked: moment(*asked),
                told: at(*told),
                answered: moment(*answered),
            };
            known = Some(answer.reading(known));
        }
        known.unwrap().at(moment(10_000))
    }

    #[test]
    fn a_first_answer_lies_in_the_middle_of_its_way() {
        assert_eq!(known(&[(0, 100, 50)]), at(10_000));
    }

    #[test]
    fn a_slow_answer_changes_nothing_that_fits() {
        let quick = (0, 2, 5_001);
        let slow = (1_000, 2_000, 6_900);
        assert_eq!(known(&[quick, slow]), known(&[quick]));
    }

    #[test]
    fn a_quick_answer_corrects_a_slow_one() {
        let slow = (0, 1_000, 0);
        assert_eq!(known(&[slow]), at(9_500), "half a second was guessed");
        let quick = (2_000, 2_002, 2_001);
        let corrected = known(&[slow, quick]).duration_since(at(10_000));
        assert!(
            corrected.abs() <= SignedDuration::from_millis(2),
            "{corrected}"
        );
    }

    #[test]
    fn a_clock_that_is_set_is_followed_at_once() {
        let hour = 3_600_000;
        let set_back = known(&[(0, 2, hour), (1_000, 1_002, 0)]);
        assert_eq!(set_back, at(9_000));
    }
}
