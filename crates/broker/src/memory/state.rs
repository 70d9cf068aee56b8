//! Everything the broker knows, and what time does to it. No waiting and no locking happens here.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use protocol::TaskMeta;
use tokio::time::Instant;

use super::bindings::Bindings;
use super::calls::CallNames;
use super::chords::ChordTable;
use super::clock::Clock;
use super::coordination::Coordination;
use super::deferred::DeferredItems;
use super::envelope::{Call, Item, Outgoing};
use super::parking::Parking;
use super::queues::Queues;
use super::result_table::ResultTable;
use super::workers::Worker;
use crate::{NewChord, Notice, ResultPolicy, Tag};

/// A message in somebody's hands.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) item: Item,
    pub(super) incarnation: Arc<str>,
    pub(super) sequence: u64,
}

/// A run whose message was acknowledged early.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) incarnation: Arc<str>,
    pub(super) lost: Box<TaskMeta>,
}

/// The broker's whole state.
#[derive(Debug)]
pub(super) struct State {
    pub(super) clock: Clock,
    pub(super) queues: Queues,
    pub(super) bindings: Bindings,
    pub(super) deferred: DeferredItems,
    pub(super) held: HashMap<Tag, Held>,
    pub(super) started: HashMap<Tag, Started>,
    pub(super) workers: BTreeMap<Arc<str>, Worker>,
    pub(super) parking: Parking,
    pub(super) results: ResultTable,
    pub(super) chords: ChordTable,
    calls: CallNames,
    pub(super) coordination: Coordination,
    sequence: u64,
}

impl State {
    pub(super) fn new(policy: ResultPolicy) -> Self {
        Self {
            clock: Clock::start(),
            queues: Queues::default(),
            bindings: Bindings::default(),
            deferred: DeferredItems::default(),
            held: HashMap::new(),
            started: HashMap::new(),
            workers: BTreeMap::new(),
            parking: Parking::default(),
            chords: ChordTable::new(policy.clone()),
            results: ResultTable::new(policy),
            calls: CallNames::default(),
            coordination: Coordination::default(),
            sequence: 0,
        }
    }

    /// Does what time has brought: due messages are ready, dead incarnations give back what they held.
    pub(super) fn advance(&mut self) {
        let now = self.clock.now();
        for item in self.deferred.take_due(now).into_iter().rev() {
            self.queues.push_front(item);
        }
        let (dead, alive) = self.by_life();
        if alive > 0 {
            for incarnation in dead {
                self.bury(&incarnation);
            }
        }
    }

    /// When [`State::advance`] may next have something to do. A lease that has run out already waits for a survivor,
    /// not for time.
    pub(super) fn next_event(&self) -> Option<Instant> {
        let now = Instant::now();
        let due = self
            .deferred
            .next_due()
            .map(|due| now + self.clock.until(due));
        let leases = self
            .workers
            .values()
            .map(|worker| worker.expires)
            .filter(|expires| *expires > now);
        leases.chain(due).min()
    }

    /// Puts an outgoing message in the queues that it goes to.
    pub(super) fn deliver(&mut self, outgoing: &Outgoing) {
        let queues = outgoing.queues(&mut self.bindings);
        if queues.is_empty() {
            tracing::warn!(route = ?outgoing.route, "a message was dropped: no queue is bound to its route");
        }
        for queue in queues {
            self.queues.push_back(outgoing.item(&queue));
        }
    }

    /// Publishes a call, one with a name only the first time.
    pub(super) fn call(&mut self, call: &Call) {
        if call
            .once
            .as_deref()
            .is_none_or(|name| self.calls.is_first(name))
        {
            call.publish
                .iter()
                .for_each(|outgoing| self.deliver(outgoing));
        }
    }

    pub(super) fn open_chord(&mut self, chord: NewChord) {
        self.chords.open(&chord.group_id, chord.size);
        if let Some(header) = chord.header {
            self.results.save_group(&chord.group_id, header);
        }
    }

    /// Takes up to `max` messages for a living incarnation.
    pub(super) fn take(&mut self, incarnation: &Arc<str>, max: usize) -> Vec<(Tag, Item)> {
        let Some(worker) = self.workers.get_mut(incarnation) else {
            return Vec::new();
        };
        let items: Vec<Item> = std::iter::from_fn(|| worker.pick(&mut self.queues))
            .take(max)
            .collect();
        items
            .into_iter()
            .map(|item| (self.hold(incarnation, item.clone()), item))
            .collect()
    }

    /// Ends an incarnation as dead and tells a living one of it; `false` if there is none of this name.
    pub(super) fn bury(&mut self, incarnation: &str) -> bool {
        if self.workers.remove(incarnation).is_none() {
            return false;
        }
        let messages = self.give_back(incarnation, Item::died);
        let lost = self.lose_started(incarnation);
        if let Some(survivor) = self.workers.values().next() {
            if messages > 0 {
                survivor.notify(Notice::Reclaimed {
                    from: incarnation.to_owned(),
                    messages,
                });
            }
            for meta in lost {
                survivor.notify(Notice::Lost {
                    meta: Box::new(meta),
                });
            }
        }
        true
    }

    /// Puts everything that an incarnation holds back at the front, marked so, in the old order; returns how many messages.
    pub(super) fn give_back(&mut self, incarnation: &str, mark: fn(Item) -> Item) -> usize {
        let mut held: Vec<Held> = self
            .held
            .extract_if(|_, held| &*held.incarnation == incarnation)
            .map(|(_, held)| held)
            .collect();
        held.sort_by_key(|held| std::cmp::Reverse(held.sequence));
        let count = held.len();
        for held in held {
            self.queues.push_front(mark(held.item));
        }
        count
    }

    /// Stores that the runs of an incarnation were lost, unless they had ended.
    pub(super) fn lose_started(&mut self, incarnation: &str) -> Vec<TaskMeta> {
        let lost: Vec<TaskMeta> = self
            .started
            .extract_if(|_, run| &*run.incarnation == incarnation)
            .map(|(_, run)| *run.lost)
            .collect();
        for meta in &lost {
            self.results.store_lost(meta);
        }
        lost
    }

    /// How many messages an incarnation holds.
    pub(super) fn held_by(&self, incarnation: &str) -> u64 {
        self.held
            .values()
            .filter(|held| &*held.incarnation == incarnation)
            .count() as u64
    }

    fn hold(&mut self, incarnation: &Arc<str>, item: Item) -> Tag {
        self.sequence += 1;
        let tag = Tag(format!("{incarnation}:{}:{}", item.step, self.sequence).into());
        self.held.insert(
            tag.clone(),
            Held {
                item,
                incarnation: incarnation.clone(),
                sequence: self.sequence,
            },
        );
        tag
    }

    fn by_life(&self) -> (Vec<Arc<str>>, usize) {
        let now = Instant::now();
        let dead: Vec<_> = self
            .workers
            .iter()
            .filter(|(_, worker)| worker.expires <= now)
            .map(|(name, _)| name.clone())
            .collect();
        let alive = self.workers.len() - dead.len();
        (dead, alive)
    }
}
