//! Runs whose predecessor may not have ended.

use std::collections::HashMap;

use jiff::SignedDuration;
use protocol::TaskMeta;

use super::Reign;
use crate::Overlap;
use crate::plan::Run;
use crate::state::Skipped;

/// How long a slot waits before its predecessor is looked at again.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(1);

impl Reign<'_> {
    /// Takes out the runs that wait, and says which of the others are left out. What cannot be asked waits.
    pub(super) async fn settle_overlaps(&mut self, runs: Vec<Run>) -> Vec<(Run, Option<Skipped>)> {
        let ended = match self.ended(&runs).await {
            Ok(ended) => ended,
            Err(error) => {
                tracing::warn!(%error, "results cannot be asked; entries that must not overlap wait");
                HashMap::new()
            }
        };
        let mut going = Vec::with_capacity(runs.len());
        for run in runs {
            let last = self.last_run(&run);
            let is_over = last.as_ref().is_none_or(|id| ended.get(id) == Some(&true));
            let is_known = last.as_ref().is_none_or(|id| ended.contains_key(id));
            match self.outlook.plan.entry_of(&run).policy.overlap {
                _ if is_over => going.push((run, None)),
                Overlap::Skip if is_known => going.push((run, Some(Skipped::Overlap))),
                Overlap::CancelOther if is_known && self.cancel(last).await => {
                    going.push((run, None))
                }
                _ => {
                    let until = self.beat.now() + LOOK_AGAIN;
                    self.outlook.plan.look_at(run.place, Some(until));
                }
            }
        }
        going
    }

    /// The last run's task, if it matters whether it has ended.
    fn last_run(&self, run: &Run) -> Option<String> {
        let entry = self.outlook.plan.entry_of(run);
        if entry.policy.overlap == Overlap::Allow || self.beat.results().is_none() {
            return None;
        }
        let (slot, at) = run.state.last_sent()?;
        let may_run = entry.policy.may_run(at, self.beat.now());
        may_run.then(|| entry.task_id(slot))
    }

    /// For each last run that matters, whether it has ended.
    async fn ended(&self, runs: &[Run]) -> broker::Result<HashMap<String, bool>> {
        let ids: Vec<String> = runs.iter().filter_map(|run| self.last_run(run)).collect();
        let (Some(results), false) = (self.beat.results(), ids.is_empty()) else {
            return Ok(HashMap::new());
        };
        let metas = results.fetch(&ids).await?;
        let is_over = |meta: Option<TaskMeta>| meta.is_some_and(|meta| meta.status.is_ready());
        Ok(ids
            .into_iter()
            .zip(metas.into_iter().map(is_over))
            .collect())
    }

    /// Revokes the last run; whether the request was sent.
    async fn cancel(&self, last: Option<String>) -> bool {
        let ids = last.as_slice();
        let control = self.beat.client().control();
        let sent = control.terminate(ids, "SIGTERM").send().await;
        sent.inspect_err(
            |error| tracing::warn!(%error, "the last run cannot be revoked; its successor waits"),
        )
        .is_ok()
    }
}
