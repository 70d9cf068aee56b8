//! A run with all that its commit needs.

use std::error::Error;

use broker::Publish;

use super::Reign;
use crate::plan::Run;
use crate::state::{Skipped, Slot, entry_key};
use crate::{Entry, EntryState};

/// Ready to be committed.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) key: String,
    pub(super) run: Run,
    pub(super) state: EntryState,
    /// Why nothing is sent, if so.
    pub(super) skipped: Option<Skipped>,
    pub(super) publish: Option<Publish>,
}

impl Reign<'_> {
    /// `None` for a slot that was dealt with before, which must not happen.
    pub(super) fn prepare(&self, run: Run, skipped: Option<Skipped>) -> Option<Prepared> {
        let entry = self.outlook.plan.entry_of(&run);
        if run.slot <= run.state.last_slot {
            tracing::error!(entry = %entry.name, slot = %run.slot, "a slot was dealt with before and is not sent again");
            self.beat.metrics().doubled();
            return None;
        }
        let skipped = run.is_late.then_some(Skipped::Late).or(skipped);
        if skipped.is_some() {
            return Some(self.prepared(run, skipped, None));
        }
        Some(match entry.prepare(self.beat.client(), run.slot) {
            Ok(prepared) => self.prepared(run, None, Some(prepared.publish)),
            Err(error) => self.unsendable(run, &error),
        })
    }

    /// A slot that is left out, and its entry marked, because it cannot be sent. The next one is tried again.
    pub(super) fn unsendable(&self, run: Run, error: &dyn Error) -> Prepared {
        let (entry, problem) = (self.outlook.plan.entry_of(&run), whole_text(error));
        if run.state.problem.as_ref() != Some(&problem) {
            tracing::error!(entry = %entry.name, %problem, "cannot be sent; its slots are left out");
        }
        let mut prepared = self.prepared(run, Some(Skipped::Unsendable), None);
        prepared.state.problem = Some(problem);
        prepared
    }

    fn prepared(&self, run: Run, skipped: Option<Skipped>, publish: Option<Publish>) -> Prepared {
        let slot = Slot {
            slot: run.slot,
            at: self.beat.now(),
            by: self.beat.name().to_owned(),
            skipped,
        };
        let (state, keep) = (run.state.clone(), self.outlook.plan.history());
        Prepared {
            key: entry_key(&self.outlook.plan.entry_of(&run).name),
            state: state.after(slot, run.missed, keep),
            run,
            skipped,
            publish,
        }
    }
}

impl Prepared {
    pub(super) fn log(&self, entry: &Entry) {
        let (name, task, slot) = (&entry.name, &entry.task, self.run.slot);
        match self.skipped {
            None => {
                tracing::info!(entry = %name, %task, %slot, task_id = %entry.task_id(slot), "sending due task");
            }
            Some(Skipped::Late) => {
                tracing::warn!(entry = %name, %slot, "slot skipped: it is later than its window allows");
            }
            Some(Skipped::Overlap) => {
                tracing::warn!(entry = %name, %slot, "slot skipped: the last run has not ended");
            }
            Some(Skipped::Unsendable) => {
                tracing::warn!(entry = %name, %slot, "slot skipped: it cannot be sent");
            }
        }
        if self.run.missed > 0 {
            tracing::warn!(entry = %name, missed = self.run.missed, "slots passed without a run");
        }
    }
}

/// An error with its causes. Some name theirs themselves.
fn whole_text(error: &dyn Error) -> String {
    let mut whole = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !whole.contains(&text) {
            whole = format!("{whole}: {text}");
        }
        cause = error.source();
    }
    whole
}
