//! One term of leadership: from the state on the broker to the loss of the lease.
//!
//! Each commit writes the entries' records and publishes their messages in one atomic step under the fence. Whatever
//! goes wrong with it, the reign ends and the next one begins from what the broker remembers, so that a slot is
//! neither doubled nor lost.

use std::fmt;

use broker::{Commit, ErrorKind, Fence, Publish, Result};
use tokio::time::{Instant, sleep_until};

use crate::beat::{Beat, Role};
use crate::plan::{Plan, Run, Writes};
use crate::state::{HEARTBEAT, Heartbeat, LEASE, SPACE, encode, entry_key};
use crate::{Entry, EntryState};

/// How many entries one commit carries at most.
const BATCH: usize = 256;

/// A term of leadership.
#[derive(Debug)]
pub(crate) struct Reign<'a> {
    beat: &'a Beat,
    fence: Fence,
    plan: Plan,
    renew_at: Instant,
}

impl<'a> Reign<'a> {
    /// Loads what is remembered and adopts the schedule; `None` when the lease is lost already.
    pub(crate) async fn begin(beat: &'a Beat, fence: Fence) -> Result<Option<Self>> {
        let stored = beat.coordinator().load(SPACE).await?;
        let (plan, writes) = Plan::adopt(beat.entries(), stored, beat.now());
        let reign = Self {
            beat,
            fence,
            plan,
            renew_at: Instant::now(),
        };
        for chunk in writes.chunks(BATCH) {
            if !reign.commit(chunk.to_vec(), Vec::new()).await? {
                return Ok(None);
            }
        }
        Ok(Some(reign))
    }

    /// Sends what is due until the lease is lost. Cancel-safe: a commit is carried out as a whole or not at all.
    pub(crate) async fn rule(mut self) -> Result<()> {
        loop {
            if Instant::now() >= self.renew_at && !self.renew().await? {
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

    /// Sends what is due; `false` when the lease is lost. One message that the broker refuses must not hold up the others,
    /// so a refused batch is sent one by one.
    async fn send(&mut self, runs: Vec<Run>) -> Result<bool> {
        let runs: Vec<Prepared> = runs
            .into_iter()
            .filter_map(|run| self.prepare(run))
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
        let writes = runs
            .iter()
            .map(|run| (run.key.clone(), Some(encode(&run.state))))
            .collect();
        let publish = runs.iter().filter_map(|run| run.publish.clone()).collect();
        self.commit(writes, publish).await
    }

    fn record(
        &mut self,
        Prepared {
            run,
            state,
            publish,
            ..
        }: Prepared,
    ) {
        log(self.plan.entry(&run), &run, publish.is_some());
        self.plan.record(&run, state);
    }

    /// An entry that cannot be encoded leaves the plan; the others go on.
    fn prepare(&self, run: Run) -> Option<Prepared> {
        let entry = self.plan.entry(&run);
        let now = self.beat.now();
        let is_stale = self
            .beat
            .deadline(entry)
            .is_some_and(|deadline| run.lateness(now) > deadline);
        let publish = match is_stale {
            true => None,
            false => match entry.prepare(self.beat.client(), run.slot) {
                Ok(prepared) => Some(prepared.publish),
                Err(error) => {
                    leave_out(entry, &error);
                    return None;
                }
            },
        };
        let state = self.plan.state_after(&run, publish.as_ref().map(|_| now));
        Some(Prepared {
            key: entry_key(&entry.name),
            run,
            state,
            publish,
        })
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
        let wait = wait.map(|wait| Instant::now() + wait.try_into().unwrap_or_default());
        sleep_until(wait.map_or(self.renew_at, |due| due.min(self.renew_at))).await;
    }
}

/// A run with all that its commit needs.
#[derive(Debug)]
struct Prepared {
    key: String,
    run: Run,
    state: EntryState,
    publish: Option<Publish>,
}

fn leave_out(entry: &Entry, error: &dyn fmt::Display) {
    tracing::error!(entry = %entry.name, %error, "cannot be sent and is left out until the next start");
}

fn log(entry: &Entry, run: &Run, sent: bool) {
    let (name, task, slot) = (&entry.name, &entry.task, run.slot);
    if sent {
        tracing::info!(entry = %name, %task, %slot, task_id = %entry.task_id(slot), "sending due task");
    } else {
        tracing::warn!(entry = %name, %slot, "slot skipped: later than beat_cron_starting_deadline");
    }
    if run.missed > 0 {
        tracing::warn!(entry = %name, missed = run.missed, "slots passed while no beat could send; the entry runs once for them");
    }
}
