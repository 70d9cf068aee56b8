//! Moving messages whose time has come to their queues.

use super::{Operation, Tx};
use crate::bell::News;
use crate::clock::wall_ms;
use crate::error::Result;
use crate::sql;

/// Messages in one step at most, so that a million that are due at once do not keep others waiting.
pub(crate) const AT_ONCE: i64 = 1_000;

/// A message keeps its id, so it is served before everything that was published after it.
const PROMOTE: &str = "\
UPDATE messages SET state = 0, due = NULL
WHERE id IN (SELECT id FROM messages WHERE state = 2 AND due <= ?1 ORDER BY due, id LIMIT ?2)";

const HASTEN: &str = "UPDATE messages SET due = 0 WHERE id = ? AND state = 2";

/// Makes ready what is due; the output is the number of messages, [`AT_ONCE`] when there may be more.
#[derive(Debug)]
pub(crate) struct Promote;

impl Operation for Promote {
    type Output = usize;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<usize> {
        let moved = sql::execute(tx.conn, PROMOTE, (wall_ms(), AT_ONCE))?;
        if moved > 0 {
            tx.ring(News::Ready);
        }
        Ok(moved)
    }
}

/// Makes these messages due, as far as they still wait; the output is their number.
#[derive(Debug)]
pub(crate) struct Hasten(pub(crate) Vec<i64>);

impl Operation for Hasten {
    type Output = usize;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<usize> {
        let hastened = sql::execute_each(tx.conn, HASTEN, self.0.iter().map(|id| [id]))?;
        if hastened > 0 {
            tx.ring(News::Deferred);
        }
        Ok(hastened)
    }
}
