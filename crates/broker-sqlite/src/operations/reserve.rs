//! Taking ready messages and writing down who holds them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use broker::QueueOrder;

use super::{Operation, Tx};
use crate::error::Result;
use crate::sql;

/// The next messages of one queue. Parameters: queue, number, worker.
///
/// `LIMIT ?2 + 0` and not `LIMIT ?2`: SQLite plans with the value of a bare parameter there, and so prepares the statement anew
/// for every reservation.
const NEXT_OF_ONE: &str = "\
WITH taken AS (
    SELECT id FROM messages WHERE state = 0 AND queue = ?1 ORDER BY step, rank, id LIMIT ?2 + 0)
SELECT m.id, m.queue, m.holds, m.redelivered, m.deaths, b.body
FROM messages m JOIN bodies b USING (id)
WHERE m.id IN taken AND EXISTS (SELECT 1 FROM workers WHERE id = ?3)
ORDER BY m.step, m.rank, m.id";

/// The next messages of several queues, `turn` being a queue's place in the list. Within a priority step the queues come
/// by turns (`nth` before `turn`) or one after the other (`turn` before `nth`, with ?4 = 1).
/// Parameters: queues as JSON, number, worker, strict.
const NEXT_OF_MANY: &str = "\
WITH candidates AS (
    SELECT c.id, c.step, q.key AS turn,
           row_number() OVER (PARTITION BY c.step, q.key ORDER BY c.rank, c.id) AS nth
    FROM json_each(?1) q CROSS JOIN messages c ON c.id IN (
        SELECT id FROM messages WHERE state = 0 AND queue = q.value ORDER BY step, rank, id LIMIT ?2 + 0)),
taken AS (
    SELECT id, step, nth, turn FROM candidates
    ORDER BY step, CASE WHEN ?4 THEN turn ELSE nth END, CASE WHEN ?4 THEN nth ELSE turn END LIMIT ?2 + 0)
SELECT m.id, m.queue, m.holds, m.redelivered, m.deaths, b.body
FROM taken t JOIN messages m USING (id) JOIN bodies b USING (id)
WHERE EXISTS (SELECT 1 FROM workers WHERE id = ?3)
ORDER BY t.step, CASE WHEN ?4 THEN t.turn ELSE t.nth END, CASE WHEN ?4 THEN t.nth ELSE t.turn END";

const HOLD: &str = "\
UPDATE messages SET state = 1, holder = ?1, holds = holds + 1 WHERE id = ?2";

/// A message that was taken, as stored.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) worker: i64,
    pub(crate) id: i64,
    pub(crate) queue: String,
    /// Which hold of this message it is.
    pub(crate) hold: i64,
    pub(crate) redelivered: bool,
    pub(crate) deaths: i64,
    pub(crate) envelope: Vec<u8>,
    pub(crate) asked: Instant,
}

/// Where taken messages lie until a call of `reserve` fetches them: what was taken for a call that was given up is there
/// for the next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf(Arc<Mutex<VecDeque<Taken>>>);

impl Shelf {
    /// Takes up to `max` from the shelf.
    pub(crate) fn take(&self, max: usize) -> Vec<Taken> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = max.min(shelf.len());
        shelf.drain(..count).collect()
    }

    fn put(&self, taken: Vec<Taken>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(taken);
    }
}

/// Takes up to `max` messages for a worker and puts them on its shelf. The output is their queues, in order.
#[derive(Debug)]
pub(crate) struct Reserve {
    pub(crate) worker: i64,
    pub(crate) queues: Vec<String>,
    pub(crate) order: QueueOrder,
    pub(crate) max: usize,
    pub(crate) asked: Instant,
    pub(crate) shelf: Shelf,
    pub(crate) taken: Vec<Taken>,
}

type Row = (i64, String, i64, bool, i64, Vec<u8>);

impl Operation for Reserve {
    type Output = Vec<String>;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<Vec<String>> {
        let rows = self.next(tx)?;
        let holds = rows.iter().map(|row| (self.worker, row.0));
        sql::execute_each(tx.conn, HOLD, holds)?;
        self.taken = rows.into_iter().map(|row| self.taken(row)).collect();
        Ok(self.taken.iter().map(|taken| taken.queue.clone()).collect())
    }

    fn committed(&mut self, _queues: &mut Vec<String>) {
        self.shelf.put(std::mem::take(&mut self.taken));
    }

    fn needs_caller(&self) -> bool {
        true
    }
}

impl Reserve {
    fn next(&self, tx: &mut Tx<'_>) -> Result<Vec<Row>> {
        let max = i64::try_from(self.max).unwrap_or(i64::MAX);
        match &self.queues[..] {
            [] => Ok(Vec::new()),
            [queue] => sql::all(tx.conn, NEXT_OF_ONE, (queue, max, self.worker)),
            queues => {
                let strict = self.order != QueueOrder::RoundRobin;
                let queues = serde_json::to_string(queues)?;
                sql::all(tx.conn, NEXT_OF_MANY, (queues, max, self.worker, strict))
            }
        }
    }

    fn taken(&self, (id, queue, holds, redelivered, deaths, envelope): Row) -> Taken {
        Taken {
            worker: self.worker,
            id,
            queue,
            hold: holds + 1,
            redelivered,
            deaths,
            envelope,
            asked: self.asked,
        }
    }
}
