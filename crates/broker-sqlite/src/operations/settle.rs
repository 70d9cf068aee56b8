//! Carrying out settlements: one look at what is still held, then one statement for each kind of effect, however many
//! settlements there are.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use broker::Settled;
use bytes::Bytes;
use serde::Serialize;

use super::effects::EncodedEffects;
use super::publish::{Call, Outgoing, publish};
use super::results::{EncodedMeta, store};
use super::{Operation, Tx, delete_messages, state};
use crate::bell::News;
use crate::clock::wall_ms;
use crate::error::Result;
use crate::pack::{Pack, json};

const STILL_HELD: &str = "\
SELECT m.id, m.holds, m.holder, m.state FROM json_each(?1) t JOIN messages m ON m.id = t.value WHERE m.state IN (1, 3)";
const RUN: &str =
    "UPDATE messages SET state = 3 WHERE id IN (SELECT value->>'$[0]' FROM json_each(?))";
const REPLACE_BODIES: &str = "\
UPDATE bodies SET body = substr(?2, row.value->>1, row.value->>2) FROM json_each(?1) row \
WHERE bodies.id = row.value->>'$[0]'";
const TO_FRONT: &str = "\
UPDATE messages SET state = 0, holder = NULL, redelivered = 1, deaths = deaths + ?2, rank = coalesce(
    (SELECT min(r.rank) FROM messages r WHERE r.state = 0 AND r.queue = messages.queue AND r.step = messages.step), 0) - 1
WHERE id = ?1";
const COPY_TO_BACK: &str = "\
INSERT INTO messages (queue, step, holds, redelivered, deaths) SELECT queue, step, holds, 1, deaths FROM messages WHERE id = ?";
const MOVE_BODY: &str = "UPDATE bodies SET id = ?1 WHERE id = ?2";
const DEFER: &str = "\
UPDATE messages SET state = 2, holder = NULL, due = row.value->>1 FROM json_each(?1) row \
WHERE messages.id = row.value->>0";
const PARK: &str = "\
INSERT INTO parked (queue, step, reason, parked_at, node, body)
SELECT m.queue, m.step, row.value->>1, ?2, ?3, b.body
FROM json_each(?1) row JOIN messages m ON m.id = row.value->>0 JOIN bodies b ON b.id = m.id ORDER BY row.key";

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

/// What becomes of the message.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    Ack,
    Keep,
    /// With the encoded meta that tells of the loss.
    AckEarly(Bytes),
    /// With the deaths to count.
    RequeueFront(i64),
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

#[async_trait]
impl Operation for Settle {
    type Output = Vec<Settled>;

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<Vec<Settled>> {
        let mut holds = Holds::of(tx, &self.orders).await?;
        let mut changes = Changes::default();
        let mut settled = Vec::with_capacity(self.orders.len());
        for order in &*self.orders {
            settled.push(changes.add(tx, order, &mut holds).await?);
        }
        changes.carry_out(tx, &self.node).await?;
        Ok(settled)
    }
}

/// What is still held, among the holds that the orders name.
#[derive(Debug)]
struct Holds(HashMap<Hold, i64>);

impl Holds {
    async fn of(tx: &mut Tx<'_>, orders: &[Order]) -> Result<Self> {
        let ids: Vec<i64> = orders
            .iter()
            .filter_map(|order| order.hold)
            .map(|hold| hold.id)
            .collect();
        let query = sqlx::query_as(STILL_HELD).bind(json(&ids)?);
        let rows: Vec<(i64, i64, i64, i64)> = query.fetch_all(&mut *tx.conn).await?;
        Ok(Self(
            rows.into_iter()
                .map(|(id, hold, worker, state)| (Hold { worker, id, hold }, state))
                .collect(),
        ))
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
    to_front: Vec<(i64, i64)>,
    to_back: Vec<i64>,
    defer: Vec<(i64, i64)>,
    park: Vec<(i64, &'o str)>,
    store: Vec<EncodedMeta>,
    publish: Vec<Outgoing>,
}

impl<'o> Changes<'o> {
    async fn add(
        &mut self,
        tx: &mut Tx<'_>,
        order: &'o Order,
        holds: &mut Holds,
    ) -> Result<Settled> {
        let Some(hold) = order.hold.filter(|hold| holds.allow(*hold, &order.verdict)) else {
            return Ok(Settled::Refused);
        };
        if let Some(effects) = &order.effects
            && let Some(ended) = self.add_effects(tx, effects, order).await?
        {
            return Ok(ended);
        }
        holds.settle(hold, &order.verdict);
        let id = hold.id;
        match &order.verdict {
            Fate::Ack => self.delete.push(id),
            Fate::Keep => {}
            Fate::AckEarly(lost) => self.run.push((id, lost)),
            Fate::RequeueFront(deaths) => self.to_front.push((id, *deaths)),
            Fate::RequeueBack => self.to_back.push(id),
            Fate::Defer(due) => self.defer.push((id, *due)),
            Fate::Park(reason) => self.park.push((id, reason)),
        }
        if order.effects.is_none() {
            self.store.extend(order.store.clone());
        }
        self.publish.extend(order.publish.iter().cloned());
        for call in &order.calls {
            if call.is_first(tx).await? {
                self.publish.extend(call.publish.iter().cloned());
            }
        }
        Ok(Settled::Done)
    }

    /// What the effects end the settlement with, if they do.
    async fn add_effects(
        &mut self,
        tx: &mut Tx<'_>,
        effects: &EncodedEffects,
        order: &Order,
    ) -> Result<Option<Settled>> {
        if !effects.hold_claims(tx).await? {
            return Ok(Some(Settled::Claimed));
        }
        self.store.extend(order.store.clone());
        let ended = effects.count(tx).await?;
        if ended.is_none() {
            effects.change_chords(tx).await?;
            self.store.extend(effects.metas.iter().cloned());
        }
        Ok(ended)
    }

    /// Early acknowledgements come before deletions: a batch may hold both of one run.
    async fn carry_out(mut self, tx: &mut Tx<'_>, node: &str) -> Result<()> {
        self.run(tx).await?;
        self.requeue(tx).await?;
        self.defer(tx).await?;
        self.park(tx, node).await?;
        delete_messages(tx, &self.delete).await?;
        store(tx, &self.store).await?;
        publish(tx, &self.publish).await
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<()> {
        if self.run.is_empty() {
            return Ok(());
        }
        let mut pack = Pack::new();
        for (id, lost) in &self.run {
            pack.push(id, lost);
        }
        let (rows, blob) = pack.into_parts()?;
        sqlx::query(RUN).bind(&rows).execute(&mut *tx.conn).await?;
        sqlx::query(REPLACE_BODIES)
            .bind(rows)
            .bind(blob)
            .execute(&mut *tx.conn)
            .await?;
        Ok(())
    }

    async fn requeue(&self, tx: &mut Tx<'_>) -> Result<()> {
        for (id, deaths) in &self.to_front {
            sqlx::query(TO_FRONT)
                .bind(id)
                .bind(deaths)
                .execute(&mut *tx.conn)
                .await?;
            tx.ring(News::Ready);
        }
        for id in &self.to_back {
            let copy = sqlx::query(COPY_TO_BACK)
                .bind(id)
                .execute(&mut *tx.conn)
                .await?;
            sqlx::query(MOVE_BODY)
                .bind(copy.last_insert_rowid())
                .bind(id)
                .execute(&mut *tx.conn)
                .await?;
            sqlx::query("DELETE FROM messages WHERE id = ?")
                .bind(id)
                .execute(&mut *tx.conn)
                .await?;
            tx.ring(News::Ready);
        }
        Ok(())
    }

    async fn defer(&self, tx: &mut Tx<'_>) -> Result<()> {
        if !self.defer.is_empty() {
            execute_json(tx, DEFER, &self.defer).await?;
            tx.ring(News::Deferred);
        }
        Ok(())
    }

    async fn park(&mut self, tx: &mut Tx<'_>, node: &str) -> Result<()> {
        if !self.park.is_empty() {
            let park = sqlx::query(PARK)
                .bind(json(&self.park)?)
                .bind(wall_ms())
                .bind(node);
            park.execute(&mut *tx.conn).await?;
            self.delete.extend(self.park.iter().map(|(id, _)| id));
        }
        Ok(())
    }
}

async fn execute_json<T: Serialize + ?Sized>(
    tx: &mut Tx<'_>,
    sql: &'static str,
    values: &T,
) -> Result<()> {
    sqlx::query(sql)
        .bind(json(values)?)
        .execute(&mut *tx.conn)
        .await?;
    Ok(())
}
