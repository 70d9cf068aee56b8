//! What a beat does while another one leads: it follows the schedule, and the records of what the leader has sent.

use std::time::Duration;

use broker::Result;
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep_until};

use super::Outlook;
use crate::beat::Beat;
use crate::following::LOOK;
use crate::plan::due;

/// How many records are read at once.
const BATCH: usize = 512;
/// How long after its time an entry is looked at, so that the leader has dealt with it.
const LAG: SignedDuration = SignedDuration::from_millis(500);

impl Outlook {
    /// Goes on for so long.
    pub(crate) async fn stand_by(&mut self, beat: &Beat, pause: Duration) -> Result<()> {
        let until = Instant::now() + pause;
        self.has_leader = true;
        self.look_again(beat.now());
        while self.go_on(beat).await? && Instant::now() < until {}
        sleep_until(until).await;
        Ok(())
    }

    /// From time to time everything that is open is looked at again.
    fn look_again(&mut self, now: Timestamp) {
        if Instant::now() < self.again_at {
            return;
        }
        self.again_at = Instant::now() + LOOK;
        self.to_settle = self.unsettled.len();
        for place in std::mem::take(&mut self.waiting) {
            self.plan.look_at(place, Some(now - LAG));
        }
    }

    /// Whether there is more to do now.
    async fn go_on(&mut self, beat: &Beat) -> Result<bool> {
        self.follow(beat, BATCH).await;
        let some = self.to_settle.min(BATCH);
        if some > 0 {
            self.to_settle -= some;
            let settling = self.examine(beat, some).await?;
            self.settled_by_others(settling);
        }
        let time = beat.now() - LAG;
        for (place, state) in self.take_due(beat, time, BATCH).await? {
            let entry = self.plan.entry(place);
            let next = entry.and_then(|entry| due(entry, state.last_slot, state.total_run_count));
            match next.is_some_and(|next| next <= time) {
                true => self.waiting.push(place),
                false => self.plan.look_at(place, next),
            }
        }
        let is_due = self.plan.next_due().is_some_and(|due| due <= time);
        Ok(is_due || self.to_settle > 0 || self.following.has_changes())
    }
}
