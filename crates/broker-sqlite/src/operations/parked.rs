//! What an operator does with a parked message.

use broker::ParkedAction;

use super::{Operation, Tx};
use crate::bell::News;
use crate::error::Result;
use crate::sql;

const TO_QUEUE: &str =
    "INSERT INTO messages (queue, step) SELECT queue, step FROM parked WHERE id = ?";
const BODY_TO_QUEUE: &str =
    "INSERT INTO bodies (id, body) SELECT ?1, body FROM parked WHERE id = ?2";

/// Puts a parked message back or deletes it; the output is whether there was one.
#[derive(Debug)]
pub(crate) struct SettleParked {
    pub(crate) id: i64,
    pub(crate) action: ParkedAction,
}

impl Operation for SettleParked {
    type Output = bool;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<bool> {
        if self.action == ParkedAction::Requeue {
            self.requeue(tx)?;
        }
        let deleted = sql::execute(tx.conn, "DELETE FROM parked WHERE id = ?", [self.id])?;
        Ok(deleted > 0)
    }
}

impl SettleParked {
    fn requeue(&self, tx: &mut Tx<'_>) -> Result<()> {
        if sql::execute(tx.conn, TO_QUEUE, [self.id])? > 0 {
            let message = tx.conn.last_insert_rowid();
            sql::execute(tx.conn, BODY_TO_QUEUE, [message, self.id])?;
            tx.ring(News::Ready);
        }
        Ok(())
    }
}
