//! Carrying out settlements: one look at what is still held, then one statement for each kind of effect, however many
//! settlements there are.

use std::collections::HashMap;
use std::sync::Arc;

use broker::Settled;
use bytes::Bytes;

use super::effects::EncodedEffects;
use super::publish::{Call, Outgoing, publish};
use super::results::{EncodedMeta, store};
use super::{Operation, Tx, delete_messages, state};
use crate::bell::News;
use crate::clock::wall_ms;
use crate::error::Result;
use crate::sql;

const STILL_HELD: &str =
    "SELECT id, holds, holder, state FROM messages WHERE id = ? AND state IN (1, 3)";
const RUN: &str = "UPDATE messages SET state = 3 WHERE id = ?";
const REPLACE_BODY: &str = "UPDATE bodies SET body = ?2 WHERE id = ?1";
const TO_FRONT: &str = "\
UPDATE messages SET state = 0, holder = NULL, redelivered = redelivered OR ?2, deaths = deaths + ?3, rank = coalesce(
    (SELECT min(r.rank) FROM messages r WHERE r.state = 0 AND r.queue = messages.queue AND r.step = messages.step), 0) - 1
WHERE id = ?1";
const COPY_TO_BACK: &str = "\
INSERT INTO messages (queue, step, holds, redelivered, deaths) SELECT queue, step, holds, 1, deaths FROM messages WHERE id = ?";
const MOVE_BODY: &str = "UPDATE bodies SET id = ?1 WHERE id = ?2";
const DEFER: &str = "UPDATE messages SET state = 2, holder = NULL, due = ?2 WHERE id = ?1";
const PARK: &str = "\
INSERT INTO parked (queue, step, reason, parked_at, node, body)
SELECT m.queue, m.step, ?2, ?3, ?4, b.body FROM messages m JOIN bodies b USING (id) WHERE id = ?1";

/// A hold, as its tag names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Hold {
    pub(crate) worker: i64,
    pub(crate) id: i64,
    pub(crate) hold: i64,
}

/// A settlement with everything encoded.
#[derive(Debug)]
pub(crate) struct Order {
    /// `None` for a tag that was never ours.
    pub(crate) hold: Option<Hold>,
    pub(crate) verdict: Fate,
    pub(crate) store: Option<EncodedMeta>,
    pub(crate) publish: Vec<Outgoing>,
    pub(crate) calls: Vec<Call>,
    pub(crate) effects: Option<Box<EncodedEffects>>,
}

/// What a message has been through since it was taken.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Past {
    pub(crate) redelivered: bool,
    pub(crate) deaths: i64,
}

/// What becomes of the message.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    Ack,
    Keep,
    /// With the encoded meta that tells of the loss.
    AckEarly(Bytes),
    RequeueFront(Past),
    RequeueBack,
    /// Until this time of the wall clock in milliseconds.
    Defer(i64),
    /// With the reason.
    Park(String),
}

/// Carries out settlements of one node.
#[derive(Clone, Debug)]
pub(crate) struct Settle {
    pub(crate) node: String,
    pub(crate) orders: Arc<[Order]>,
}

impl Operation for Settle {
    type Output = Vec<Settled>;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<Vec<Settled>> {
        let mut holds = Holds::of(tx, &self.orders)?;
        let mut changes = Changes::default();
        let mut settled = Vec::with_capacity(self.orders.len());
        for order in &*self.orders {
            settled.push(changes.add(tx, order, &mut holds)?);
        }
        changes.carry_out(tx, &self.node)?;
        Ok(settled)
    }
}

/// What is still held, among the holds that the orders name.
#[derive(Debug)]
struct Holds(HashMap<Hold, i64>);

impl Holds {
    fn of(tx: &mut Tx<'_>, orders: &[Order]) -> Result<Self> {
        let mut held = HashMap::with_capacity(orders.len());
        for hold in orders.iter().filter_map(|order| order.hold) {
            if let Some((id, hold, worker, state)) = sql::first(tx.conn, STILL_HELD, [hold.id])? {
                held.insert(Hold { worker, id, hold }, state);
            }
        }
        Ok(Self(held))
    }

    /// Whether this fate is possible for a hold: a run that was acknowledged early has no message any more, so it can report or
    /// end, and nothing else.
    fn allow(&self, hold: Hold, fate: &Fate) -> bool {
        match self.0.get(&hold) {
            None => false,
            Some(state) => *state == state::HELD || matches!(fate, Fate::Keep | Fate::Ack),
        }
    }

    /// Whatever ends a hold takes it off the list, for the orders that follow.
    fn settle(&mut self, hold: Hold, fate: &Fate) {
        match fate {
            Fate::Keep => {}
            Fate::AckEarly(_) => {
                self.0.insert(hold, state::RUNNING);
            }
            _ => {
                self.0.remove(&hold);
            }
        }
    }
}

/// Everything that a batch of settlements changes.
#[derive(Default)]
struct Changes<'o> {
    delete: Vec<i64>,
    run: Vec<(i64, &'o Bytes)>,
    to_front: Vec<(i64, bool, i64)>,
    to_back: Vec<i64>,
    defer: Vec<(i64, i64)>,
    park: Vec<(i64, &'o str)>,
    store: Vec<&'o EncodedMeta>,
    publish: Vec<&'o Outgoing>,
}

impl<'o> Changes<'o> {
    fn add(&mut self, tx: &mut Tx<'_>, order: &'o Order, holds: &mut Holds) -> Result<Settled> {
        let Some(hold) = order.hold.filter(|hold| holds.allow(*hold, &order.verdict)) else {
            return Ok(Settled::Refused);
        };
        if let Some(effects) = &order.effects
            && let Some(ended) = self.add_effects(tx, effects, order)?
        {
            return Ok(ended);
        }
        holds.settle(hold, &order.verdict);
        let id = hold.id;
        match &order.verdict {
            Fate::Ack => self.delete.push(id),
            Fate::Keep => {}
            Fate::AckEarly(lost) => self.run.push((id, lost)),
            Fate::RequeueFront(past) => {
                self.to_front.push((id, past.redelivered, past.deaths));
            }
            Fate::RequeueBack => self.to_back.push(id),
            Fate::Defer(due) => self.defer.push((id, *due)),
            Fate::Park(reason) => self.park.push((id, reason)),
        }
        if order.effects.is_none() {
            self.store.extend(&order.store);
        }
        self.publish.extend(&order.publish);
        for call in &order.calls {
            if call.is_first(tx)? {
                self.publish.extend(&call.publish);
            }
        }
        Ok(Settled::Done)
    }

    /// What the effects end the settlement with, if they do.
    fn add_effects(
        &mut self,
        tx: &mut Tx<'_>,
        effects: &'o EncodedEffects,
        order: &'o Order,
    ) -> Result<Option<Settled>> {
        if !effects.hold_claims(tx)? {
            return Ok(Some(Settled::Claimed));
        }
        self.store.extend(&order.store);
        let ended = effects.count(tx)?;
        if ended.is_none() {
            effects.change_chords(tx)?;
            self.store.extend(&effects.metas);
        }
        Ok(ended)
    }

    /// Early acknowledgements come before deletions: a batch may hold both of one run.
    fn carry_out(mut self, tx: &mut Tx<'_>, node: &str) -> Result<()> {
        self.run(tx)?;
        self.requeue(tx)?;
        self.defer(tx)?;
        self.park(tx, node)?;
        delete_messages(tx, &self.delete)?;
        store(tx, self.store)?;
        publish(tx, self.publish)
    }

    fn run(&self, tx: &mut Tx<'_>) -> Result<()> {
        sql::execute_each(tx.conn, RUN, self.run.iter().map(|(id, _)| [id]))?;
        let lost = self.run.iter().map(|(id, lost)| (id, &lost[..]));
        sql::execute_each(tx.conn, REPLACE_BODY, lost)?;
        Ok(())
    }

    fn requeue(&self, tx: &mut Tx<'_>) -> Result<()> {
        sql::execute_each(tx.conn, TO_FRONT, self.to_front.iter().copied())?;
        for id in &self.to_back {
            sql::execute(tx.conn, COPY_TO_BACK, [id])?;
            sql::execute(tx.conn, MOVE_BODY, [tx.conn.last_insert_rowid(), *id])?;
            sql::execute(tx.conn, "DELETE FROM messages WHERE id = ?", [id])?;
        }
        if !(self.to_front.is_empty() && self.to_back.is_empty()) {
            tx.ring(News::Ready);
        }
        Ok(())
    }

    fn defer(&self, tx: &mut Tx<'_>) -> Result<()> {
        if sql::execute_each(tx.conn, DEFER, self.defer.iter().copied())? > 0 {
            tx.ring(News::Deferred);
        }
        Ok(())
    }

    fn park(&mut self, tx: &mut Tx<'_>, node: &str) -> Result<()> {
        let now = wall_ms();
        let rows = self.park.iter();
        sql::execute_each(
            tx.conn,
            PARK,
            rows.map(|(id, reason)| (id, reason, now, node)),
        )?;
        self.delete.extend(self.park.iter().map(|(id, _)| id));
        Ok(())
    }
}
