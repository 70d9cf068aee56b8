//! Records that must show what the schedule says: an entry that is new, other than before, or gone.

use broker::Result;
use jiff::Timestamp;

use super::Outlook;
use crate::adopt::{abandon, adopt};
use crate::beat::Beat;
use crate::known::Change;
use crate::plan::{Place, due};
use crate::state::{SPACE, Write, Writes, entry_key};

/// The first of the unsettled changes, as their records are now.
#[derive(Debug)]
pub(crate) struct Settling(Vec<Settled>);

#[derive(Debug)]
struct Settled {
    /// `None` for an entry that has gone.
    place: Option<Place>,
    /// When the entry is due once its record shows the change.
    due: Option<Timestamp>,
    /// What must be written for that.
    write: Option<Write>,
}

impl Settling {
    /// What must be written.
    pub(crate) fn writes(&self) -> Writes {
        let writes = self.0.iter().filter_map(|settled| settled.write.clone());
        writes.collect()
    }
}

impl Outlook {
    /// Whether there are changes that the records may not show.
    pub(crate) fn is_unsettled(&self) -> bool {
        !self.unsettled.is_empty()
    }

    /// Looks at the records of up to so many unsettled changes. They are unsettled until [`Outlook::settled`].
    pub(crate) async fn examine(&self, beat: &Beat, most: usize) -> Result<Settling> {
        let names: Vec<&str> = self.unsettled.iter().take(most).map(Change::name).collect();
        let keys: Vec<String> = names.iter().map(|name| entry_key(name)).collect();
        let records = beat.coordinator().fetch(SPACE, &keys).await?;
        let now = beat.now();
        let settled = names.into_iter().zip(records).map(|(name, record)| {
            let place = self.plan.find(name);
            let entry = place.and_then(|place| self.plan.entry(place));
            let Some(entry) = entry else {
                let write = abandon(name, record.as_ref(), beat.known().is_unusable(name));
                let (place, due) = (None, None);
                return Settled { place, due, write };
            };
            let (state, write) = adopt(entry, record.as_ref(), now);
            beat.keeper().note_if_behind(entry, &state);
            let due = due(entry, state.last_slot, state.total_run_count);
            Settled { place, due, write }
        });
        Ok(Settling(settled.collect()))
    }

    /// All that they needed is written.
    pub(crate) fn settled(&mut self, settling: Settling) {
        for settled in settling.0 {
            self.unsettled.pop_front();
            self.plan_settled(&settled);
        }
    }

    /// Nothing was written: what needs it stays unsettled.
    pub(super) fn settled_by_others(&mut self, settling: Settling) {
        for settled in settling.0 {
            let change = self.unsettled.pop_front();
            match settled.write {
                None => self.plan_settled(&settled),
                Some(_) => self.unsettled.extend(change),
            }
        }
    }

    fn plan_settled(&mut self, settled: &Settled) {
        if let Some(place) = settled.place {
            self.plan.look_at(place, settled.due);
        }
    }
}
