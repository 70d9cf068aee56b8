//! One term of leadership: from the state on the broker to the loss of the lease.
//!
//! Each commit writes the entries' records and publishes their messages in one atomic step under the fence. Whatever
//! goes wrong with it, the reign ends and the next one begins from what the broker remembers, so that a slot is
//! neither doubled nor lost.

mod following;
mod overlap;
mod prepared;
mod sending;

use broker::{Commit, Fence, Publish, Result};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep_until};

use crate::beat::{Beat, RENEWALS_PER_LEASE, Role};
use crate::bulk;
use crate::plan::{Plan, Writes, read_states};
use crate::state::{HEARTBEAT, Heartbeat, LEASE, SPACE, encode};
use following::Following;

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
    plan: Plan,
    following: Following,
    renew_at: Instant,
    /// What the broker's clock showed last.
    seen: Timestamp,
}

impl<'a> Reign<'a> {
    /// Loads what is remembered and adopts the schedule; `None` when the lease is lost already.
    pub(crate) async fn begin(beat: &'a Beat, fence: Fence) -> Result<Option<Self>> {
        let Some(loaded) = beat.while_held(fence, load(beat)).await? else {
            return Ok(None);
        };
        let (plan, writes) = loaded?;
        let reign = Self {
            beat,
            fence,
            plan,
            following: Following::new(),
            renew_at: Instant::now(),
            seen: beat.now(),
        };
        reign.count_entries();
        let written = beat.while_held(fence, reign.write(writes)).await?;
        let leads = written.transpose()? == Some(true);
        Ok(leads.then_some(reign))
    }

    fn count_entries(&self) {
        let wrong = self.beat.known().problems();
        self.beat.metrics().entries(self.plan.len(), wrong);
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
        let runs = self.plan.take_due(now, BATCH);
        if !runs.is_empty() {
            return self.send(runs).await;
        }
        if !self.following.has_changes() {
            self.sleep().await;
        }
        Ok(true)
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
            self.plan.len(),
        );
        self.count_entries();
        let heartbeat = encode(&Heartbeat { at, name, entries });
        self.commit(vec![(HEARTBEAT.to_owned(), Some(heartbeat))], Vec::new())
            .await
    }

    async fn write(&self, mut writes: Writes) -> Result<bool> {
        while !writes.is_empty() {
            let some = writes.split_off(writes.len().saturating_sub(WRITES));
            if !self.commit(some, Vec::new()).await? {
                return Ok(false);
            }
        }
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
        let wait = self.plan.next_due().map(|due| due.duration_since(now));
        let due = wait.map(|wait| Instant::now() + wait.try_into().unwrap_or_default());
        let until = due.map_or(self.renew_at, |due| due.min(self.renew_at));
        tokio::select! {
            () = sleep_until(until) => {}
            () = self.following.changed() => {}
        }
    }
}

/// The plan that the records and the schedule make, and what must be written for it.
async fn load(beat: &Beat) -> Result<(Plan, Writes)> {
    beat.known().refresh().await?;
    let stored = beat.coordinator().load(SPACE).await?;
    let entries = beat.known().entries();
    let (now, deadline) = (beat.now(), beat.deadline());
    let states = bulk::apart(move || read_states(stored)).await;
    beat.keeper().catch_up(&entries, &states);
    let begin = move || Plan::begin(entries, states, now, deadline);
    Ok(bulk::apart(begin).await)
}
