//! A run with all that its commit needs.

use std::fmt;

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
    /// An entry that cannot be encoded leaves the plan; the others go on.
    pub(super) fn prepare(&self, run: Run, skipped: Option<Skipped>) -> Option<Prepared> {
        let entry = self.outlook.plan.entry_of(&run);
        if run.slot <= run.state.last_slot {
            tracing::error!(entry = %entry.name, slot = %run.slot, "a slot was dealt with before and is not sent again");
            self.beat.metrics().doubled();
            return None;
        }
        let skipped = run.is_late.then_some(Skipped::Late).or(skipped);
        let publish = match skipped {
            Some(_) => None,
            None => match entry.prepare(self.beat.client(), run.slot) {
                Ok(prepared) => Some(prepared.publish),
                Err(error) => {
                    leave_out(entry, &error);
                    return None;
                }
            },
        };
        let slot = Slot {
            slot: run.slot,
            at: self.beat.now(),
            by: self.beat.name().to_owned(),
            skipped,
        };
        Some(Prepared {
            key: entry_key(&entry.name),
            state: run
                .state
                .clone()
                .after(slot, run.missed, self.outlook.plan.history()),
            run,
            skipped,
            publish,
        })
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
        }
        if self.run.missed > 0 {
            tracing::warn!(entry = %name, missed = self.run.missed, "slots passed without a run");
        }
    }
}

pub(super) fn leave_out(entry: &Entry, error: &dyn fmt::Display) {
    tracing::error!(entry = %entry.name, %error, "cannot be sent and is left out until the schedule changes");
}
