//! One term of leadership: from the state on the broker to the loss of the lease.
//!
//! Each commit writes the entries' records and publishes their messages in one atomic step under the fence. Whatever
//! goes wrong with it, the reign ends and the next one begins from what the broker remembers, so that a slot is
//! neither doubled nor lost.

mod overlap;
mod prepared;
mod sending;

use broker::{Commit, Fence, Publish, Result};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep_until};

use crate::beat::{Beat, RENEWALS_PER_LEASE, Role};
use crate::outlook::Outlook;
use crate::state::{HEARTBEAT, Heartbeat, LEASE, SPACE, Writes, encode};

/// How many entries one commit carries at most.
const BATCH: usize = 256;
/// How many records are written at once when nothing is sent with them.
const WRITES: usize = 1_000;
/// A clock that goes back by less was only adjusted.
const SET_BACK: SignedDuration = SignedDuration::from_secs(1);

/// A term of leadership.
#[derive(Debug)]
pub(crate) struct Reign<'a> {
    beat: &'a Beat,
    fence: Fence,
    outlook: &'a mut Outlook,
    renew_at: Instant,
    /// What the broker's clock showed last.
    seen: Timestamp,
}

impl<'a> Reign<'a> {
    /// Adopts the schedule; `None` when the lease is lost already.
    pub(crate) async fn begin(
        beat: &'a Beat,
        fence: Fence,
        outlook: &'a mut Outlook,
    ) -> Result<Option<Self>> {
        if has_forgotten(beat, outlook).await? {
            let read = beat.while_held(fence, outlook.read_again(beat)).await?;
            if read.transpose()?.is_none() {
                return Ok(None);
            }
        }
        outlook.take_over(beat.now());
        let mut reign = Self {
            beat,
            fence,
            outlook,
            renew_at: Instant::now(),
            seen: beat.now(),
        };
        reign.count_entries();
        let settled = beat.while_held(fence, reign.settle_all()).await?;
        let leads = settled.transpose()? == Some(true);
        Ok(leads.then_some(reign))
    }

    fn count_entries(&self) {
        let wrong = self.beat.known().problems();
        self.beat.metrics().entries(self.outlook.plan.len(), wrong);
    }

    /// Sends what is due until the lease is lost. Cancel-safe: a commit is carried out as a whole or not at all.
    pub(crate) async fn rule(mut self) -> Result<()> {
        while self.turn().await? {}
        Ok(())
    }

    /// `false` when the lease is lost.
    async fn turn(&mut self) -> Result<bool> {
        if Instant::now() >= self.renew_at && !self.renew().await? {
            return Ok(false);
        }
        if !self.follow().await? {
            return Ok(false);
        }
        self.beat.tick(Role::Leader);
        let now = self.look_at_the_clock();
        if self.outlook.plan.next_due().is_some_and(|due| due <= now) {
            return self.send_due(now).await;
        }
        if !self.outlook.is_busy() {
            self.sleep().await;
        }
        Ok(true)
    }

    /// `false` when the lease is lost; what is not sent then waits for the next leader, this one or another.
    async fn send_due(&mut self, now: Timestamp) -> Result<bool> {
        let runs = self.outlook.take_runs(self.beat, now, BATCH).await?;
        let is_held = self.send(runs).await?;
        if is_held {
            self.outlook.dealt_with();
        }
        Ok(is_held)
    }

    /// Now. A clock that was set back doubles nothing, but somebody should know why nothing is sent.
    fn look_at_the_clock(&mut self) -> Timestamp {
        let now = self.beat.now();
        if now + SET_BACK < self.seen {
            tracing::warn!(
                from = %self.seen, to = %now,
                "the broker's clock was set back: slots up to the earlier time were sent and are not sent again"
            );
        }
        self.seen = now;
        now
    }

    /// Renews the lease and writes the heartbeat; `false` when the lease is lost. A new fence means that it was lost in
    /// between, so that others may have led.
    async fn renew(&mut self) -> Result<bool> {
        let renewed = self.beat.acquire().await?;
        self.renew_at = Instant::now() + self.beat.lease() / RENEWALS_PER_LEASE;
        if renewed != Some(self.fence) {
            return Ok(false);
        }
        let (at, name, entries) = (
            self.beat.now(),
            self.beat.name().to_owned(),
            self.outlook.plan.len(),
        );
        self.count_entries();
        let heartbeat = encode(&Heartbeat { at, name, entries });
        let writes = vec![(HEARTBEAT.to_owned(), Some(heartbeat))];
        let is_held = self.commit(writes, Vec::new()).await?;
        self.outlook.has_leader |= is_held;
        Ok(is_held)
    }

    /// Looks whether the schedule has changed when it is time, and adopts some of what has; `false` when the lease is lost. While the
    /// schedule's source cannot be read, beat goes on with what it knows.
    async fn follow(&mut self) -> Result<bool> {
        self.outlook.follow(self.beat, BATCH).await;
        if !self.outlook.is_unsettled() {
            return Ok(true);
        }
        self.count_entries();
        self.settle(BATCH).await
    }

    async fn settle_all(&mut self) -> Result<bool> {
        while self.outlook.is_unsettled() {
            if !self.settle(WRITES).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes the records of up to so many unsettled changes; `false` when the lease is lost.
    async fn settle(&mut self, most: usize) -> Result<bool> {
        let settling = self.outlook.examine(self.beat, most).await?;
        let writes = settling.writes();
        if !writes.is_empty() && !self.commit(writes, Vec::new()).await? {
            return Ok(false);
        }
        self.outlook.settled(settling);
        Ok(true)
    }

    async fn commit(&self, entries: Writes, publish: Vec<Publish>) -> Result<bool> {
        let (lease, space) = (LEASE.to_owned(), SPACE.to_owned());
        self.beat
            .coordinator()
            .commit(Commit {
                lease,
                fence: self.fence,
                space,
                entries,
                publish,
            })
            .await
    }

    /// Until something is due or the schedule was read, but not beyond the renewal: so a clock that is set is noticed too.
    async fn sleep(&mut self) {
        let now = self.beat.now();
        let wait = self.outlook.plan.next_due();
        let wait = wait.map(|due| due.duration_since(now));
        let due = wait.map(|wait| Instant::now() + wait.try_into().unwrap_or_default());
        let until = due.map_or(self.renew_at, |due| due.min(self.renew_at));
        tokio::select! {
            () = sleep_until(until) => {}
            () = self.outlook.following.changed() => {}
        }
    }
}

/// Whether the broker has lost its memory since somebody led: then what is known of the records says nothing.
async fn has_forgotten(beat: &Beat, outlook: &Outlook) -> Result<bool> {
    let keys = [HEARTBEAT.to_owned()];
    let found = beat.coordinator().fetch(SPACE, &keys).await?;
    Ok(outlook.has_leader && found.iter().all(Option::is_none))
}
