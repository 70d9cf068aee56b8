//! The first look: the whole schedule and all records, page by page, so that nothing is held that is not needed later.

use std::sync::Arc;

use broker::Result;
use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::Instant;

use super::Outlook;
use crate::Entry;
use crate::adopt::adopt;
use crate::beat::Beat;
use crate::bulk::{self, Pages};
use crate::following::{Following, LOOK};
use crate::keeper::Keeper;
use crate::known::Change;
use crate::plan::{Place, Plan, due};
use crate::state::{Brief, HEARTBEAT, SPACE, entry_name};

/// What some pages of records say.
#[derive(Debug, Default)]
struct Found {
    /// Entries whose record shows all that the schedule says, and when they are due.
    settled: Vec<(Place, Option<Timestamp>)>,
    /// Records of no entry.
    orphans: Vec<Change>,
    has_heartbeat: bool,
}

/// What is needed to understand a record.
#[derive(Clone, Debug)]
struct Reader {
    plan: Arc<Plan>,
    keeper: Arc<Keeper>,
    now: Timestamp,
}

impl Outlook {
    /// Reads everything.
    ///
    /// # Errors
    /// When source or broker cannot be read.
    pub(crate) async fn read(beat: &Beat) -> Result<Self> {
        beat.learn_time().await?;
        beat.known().prepare().await?;
        let entries = beat.known().entries();
        let following = Following::new();
        let reader = Reader {
            plan: Arc::new(bulk::apart(move || Plan::of(entries)).await),
            keeper: Arc::clone(beat.keeper()),
            now: beat.now(),
        };
        let plan = Arc::clone(&reader.plan);
        let work = move |pages: Pages| reader.read(pages);
        let works = vec![work; bulk::threads()];
        let found = bulk::pages(beat.coordinator(), SPACE, works).await?;
        let plan = Arc::into_inner(plan).expect("all who read with it have ended");
        Ok(bulk::apart(move || Self::of(plan, following, found)).await)
    }

    /// Reads everything again, because the broker has forgotten what it knew.
    ///
    /// # Errors
    /// As [`Outlook::read`].
    pub(crate) async fn read_again(&mut self, beat: &Beat) -> Result<()> {
        // What a look under way brings is part of what is known then.
        self.following.seen().await;
        *self = Self::read(beat).await?;
        Ok(())
    }

    fn of(mut plan: Plan, following: Following, found: Vec<Found>) -> Self {
        let mut is_settled = vec![false; plan.places()];
        let has_leader = found.iter().any(|found| found.has_heartbeat);
        let mut orphans = Vec::new();
        for found in found {
            for (place, due) in found.settled {
                is_settled[place as usize] = true;
                plan.look_at(place, due);
            }
            orphans.extend(found.orphans);
        }
        let open = (0..).zip(is_settled).filter(|(_, is_settled)| !is_settled);
        let open = open.filter_map(|(place, _)| plan.entry(place).cloned());
        Self {
            unsettled: open.map(Change::Put).chain(orphans).collect(),
            plan,
            following,
            waiting: Vec::new(),
            has_leader,
            again_at: Instant::now() + LOOK,
            to_settle: 0,
        }
    }
}

impl Reader {
    fn read(self, pages: Pages) -> Found {
        let mut found = Found::default();
        for (key, record) in pages.flatten() {
            let Some(name) = entry_name(&key) else {
                found.has_heartbeat |= key == HEARTBEAT;
                continue;
            };
            let Some(place) = self.plan.find(name) else {
                found.orphans.push(Change::Gone(name.to_owned()));
                continue;
            };
            let entry = self.plan.entry(place);
            let due = entry.and_then(|entry| self.settled(entry, &record));
            found.settled.extend(due.map(|due| (place, due)));
        }
        found
    }

    /// When the entry is due, if nothing must be written for it.
    fn settled(&self, entry: &Entry, record: &Bytes) -> Option<Option<Timestamp>> {
        if entry.kept.is_none() {
            let brief = Brief::read(record).filter(|brief| brief.is_of(entry))?;
            return Some(due(entry, brief.last_slot, brief.total_run_count));
        }
        let (state, write) = adopt(entry, Some(record), self.now);
        self.keeper.note_if_behind(entry, &state);
        let due = due(entry, state.last_slot, state.total_run_count);
        write.is_none().then_some(due)
    }
}
