//! One term of leadership: from the state on the broker to the loss of the lease.
//!
//! Each commit writes the entries' records and publishes their messages in one atomic step under the fence. Whatever
//! goes wrong with it, the reign ends and the next one begins from what the broker remembers, so that a slot is
//! neither doubled nor lost.

mod overlap;
mod prepared;

use std::time::Duration;

use broker::{Commit, ErrorKind, Fence, Publish, Result};
use tokio::time::{Instant, sleep_until};

use crate::ScheduleFile;
use crate::beat::{Beat, Role};
use crate::plan::{Plan, Run, Writes, read_states};
use crate::state::{HEARTBEAT, Heartbeat, LEASE, SPACE, encode};
use prepared::{Prepared, leave_out};

/// How many entries one commit carries at most.
const BATCH: usize = 256;
/// How often the leader asks whether the schedule has changed.
const LOOK: Duration = Duration::from_millis(500);

/// A term of leadership.
#[derive(Debug)]
pub(crate) struct Reign<'a> {
    beat: &'a Beat,
    fence: Fence,
    plan: Plan,
    version: String,
    renew_at: Instant,
    look_at: Instant,
}

impl<'a> Reign<'a> {
    /// Loads what is remembered and adopts the schedule; `None` when the lease is lost already.
    pub(crate) async fn begin(beat: &'a Beat, fence: Fence) -> Result<Option<Self>> {
        let (version, schedule) = beat.schedule().await?;
        let known = read_states(beat.coordinator().load(SPACE).await?);
        let (plan, writes) = Plan::adopt(&schedule.entries, known, beat.now(), beat.deadline());
        let reign = Self {
            beat,
            fence,
            plan,
            version,
            renew_at: Instant::now(),
            look_at: Instant::now() + LOOK,
        };
        let leads = reign.write(writes).await?;
        Ok(leads.then_some(reign))
    }

    /// Sends what is due until the lease is lost. Cancel-safe: a commit is carried out as a whole or not at all.
    pub(crate) async fn rule(mut self) -> Result<()> {
        loop {
            if Instant::now() >= self.renew_at && !self.renew().await? {
                return Ok(());
            }
            if Instant::now() >= self.look_at && !self.follow().await? {
                return Ok(());
            }
            self.beat.tick(Role::Leader);
            let now = self.beat.now();
            let runs = self.plan.take_due(now, BATCH);
            if runs.is_empty() {
                self.sleep().await;
            } else if !self.send(runs).await? {
                return Ok(());
            }
        }
    }

    /// Renews the lease and writes the heartbeat; `false` when the lease is lost. A new fence means that it was lost in
    /// between, so that others may have led.
    async fn renew(&mut self) -> Result<bool> {
        let renewed = self.beat.acquire().await?;
        self.renew_at = Instant::now() + self.beat.lease() / 3;
        if renewed != Some(self.fence) {
            return Ok(false);
        }
        let (at, name) = (self.beat.now(), self.beat.name().to_owned());
        let heartbeat = Heartbeat {
            at,
            name,
            entries: self.plan.len(),
        };
        self.commit(
            vec![(HEARTBEAT.to_owned(), Some(encode(&heartbeat)))],
            Vec::new(),
        )
        .await
    }

    /// Adopts the schedule anew when it has changed; `false` when the lease is lost. While its source cannot be read, beat goes on
    /// with what it knows.
    async fn follow(&mut self) -> Result<bool> {
        self.look_at = Instant::now() + LOOK;
        let Some((version, schedule)) = self.beat.changed_schedule(&self.version).await else {
            return Ok(true);
        };
        self.version = version;
        self.adopt(&schedule).await
    }

    async fn adopt(&mut self, schedule: &ScheduleFile) -> Result<bool> {
        let known = std::mem::take(&mut self.plan).into_states();
        let (now, deadline) = (self.beat.now(), self.beat.deadline());
        let (plan, writes) = Plan::adopt(&schedule.entries, known, now, deadline);
        self.plan = plan;
        tracing::info!(entries = self.plan.len(), "the schedule has changed");
        self.write(writes).await
    }

    /// Sends what is due; `false` when the lease is lost. One message that the broker refuses must not hold up the others,
    /// so a refused batch is sent one by one.
    async fn send(&mut self, runs: Vec<Run>) -> Result<bool> {
        let runs = self.settle_overlaps(runs).await;
        let runs: Vec<Prepared> = runs
            .into_iter()
            .filter_map(|(run, skipped)| self.prepare(run, skipped))
            .collect();
        match self.commit_runs(&runs).await {
            Err(error) if error.kind() == ErrorKind::Invalid => self.send_one_by_one(runs).await,
            Ok(true) => {
                runs.into_iter().for_each(|run| self.record(run));
                Ok(true)
            }
            outcome => outcome,
        }
    }

    /// An entry whose message is refused leaves the plan; the others go on.
    async fn send_one_by_one(&mut self, runs: Vec<Prepared>) -> Result<bool> {
        for run in runs {
            match self.commit_runs(std::slice::from_ref(&run)).await {
                Ok(true) => self.record(run),
                Err(error) if error.kind() == ErrorKind::Invalid => {
                    leave_out(self.plan.entry(&run.run), &error);
                }
                outcome => return outcome,
            }
        }
        Ok(true)
    }

    /// Records and messages of these runs, in one step.
    async fn commit_runs(&self, runs: &[Prepared]) -> Result<bool> {
        if runs.is_empty() {
            return Ok(true);
        }
        let writes = runs
            .iter()
            .map(|run| (run.key.clone(), Some(encode(&run.state))))
            .collect();
        let publish = runs.iter().filter_map(|run| run.publish.clone()).collect();
        self.commit(writes, publish).await
    }

    fn record(&mut self, prepared: Prepared) {
        prepared.log(self.plan.entry(&prepared.run));
        self.plan.record(&prepared.run, prepared.state);
    }

    async fn write(&self, writes: Writes) -> Result<bool> {
        for chunk in writes.chunks(BATCH) {
            if !self.commit(chunk.to_vec(), Vec::new()).await? {
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

    /// Until something is due, but not beyond the renewal: so a clock that is set is noticed too.
    async fn sleep(&self) {
        let wait = self
            .plan
            .next_due()
            .map(|due| due.duration_since(self.beat.now()));
        let due = wait.map(|wait| Instant::now() + wait.try_into().unwrap_or_default());
        let look = self.renew_at.min(self.look_at);
        sleep_until(due.map_or(look, |due| due.min(look))).await;
    }
}
