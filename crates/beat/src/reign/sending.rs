//! What is due becomes messages: one commit for many entries.

use std::slice::from_mut;

use broker::{ErrorKind, Result};

use super::Reign;
use super::prepared::Prepared;
use crate::plan::{Run, due, lateness};
use crate::state::encode;

impl Reign<'_> {
    /// Sends what is due; `false` when the lease is lost. One message that the broker refuses must not hold up the others,
    /// so a refused batch is sent one by one.
    pub(super) async fn send(&mut self, runs: Vec<Run>) -> Result<bool> {
        let runs = self.settle_overlaps(runs).await;
        let mut runs: Vec<Prepared> = runs
            .into_iter()
            .filter_map(|(run, skipped)| self.prepare(run, skipped))
            .collect();
        match self.commit_runs(&mut runs).await {
            Err(error) if error.kind() == ErrorKind::Invalid => self.send_one_by_one(runs).await,
            Ok(true) => {
                runs.into_iter().for_each(|run| self.record(run));
                Ok(true)
            }
            outcome => outcome,
        }
    }

    /// A slot whose message is refused is left out; the others go on.
    async fn send_one_by_one(&mut self, runs: Vec<Prepared>) -> Result<bool> {
        for refused in runs {
            let again = match refused.skipped {
                Some(_) => Some(refused),
                None => self.prepare(refused.run, None),
            };
            let Some(mut run) = again else { continue };
            let mut outcome = self.commit_runs(from_mut(&mut run)).await;
            if let Err(error) = &outcome
                && error.kind() == ErrorKind::Invalid
            {
                run = self.unsendable(run.run, error);
                outcome = self.commit_runs(from_mut(&mut run)).await;
            }
            match outcome {
                Ok(true) => self.record(run),
                outcome => return outcome,
            }
        }
        Ok(true)
    }

    /// Records and messages of these runs, in one step. The messages are gone then.
    async fn commit_runs(&self, runs: &mut [Prepared]) -> Result<bool> {
        if runs.is_empty() {
            return Ok(true);
        }
        let writes = runs
            .iter()
            .map(|run| (run.key.clone(), Some(encode(&run.state))))
            .collect();
        let publish = runs.iter_mut().filter_map(|run| run.publish.take());
        let publish = publish.collect();
        self.commit(writes, publish).await
    }

    fn record(&mut self, prepared: Prepared) {
        let entry = self.outlook.plan.entry_of(&prepared.run);
        prepared.log(entry);
        let Prepared {
            run,
            state,
            skipped,
            ..
        } = prepared;
        let metrics = self.beat.metrics();
        metrics.missed(run.missed + u64::from(skipped.is_some()));
        if skipped.is_none() {
            metrics.sent(lateness(entry, run.slot, self.beat.now()));
            self.beat.keeper().note(&entry.name, &state);
        }
        let due = due(entry, state.last_slot, state.total_run_count);
        self.outlook.plan.look_at(run.place, due);
    }
}
