//! What an operator does with a parked message.

use async_trait::async_trait;
use broker::ParkedAction;

use super::{Operation, Tx};
use crate::bell::News;
use crate::error::Result;

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

#[async_trait]
impl Operation for SettleParked {
    type Output = bool;

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<bool> {
        if self.action == ParkedAction::Requeue {
            self.requeue(tx).await?;
        }
        let deleted = sqlx::query("DELETE FROM parked WHERE id = ?")
            .bind(self.id)
            .execute(&mut *tx.conn)
            .await?;
        Ok(deleted.rows_affected() > 0)
    }
}

impl SettleParked {
    async fn requeue(&self, tx: &mut Tx<'_>) -> Result<()> {
        let message = sqlx::query(TO_QUEUE)
            .bind(self.id)
            .execute(&mut *tx.conn)
            .await?;
        if message.rows_affected() > 0 {
            let body = sqlx::query(BODY_TO_QUEUE)
                .bind(message.last_insert_rowid())
                .bind(self.id);
            body.execute(&mut *tx.conn).await?;
            tx.ring(News::Ready);
        }
        Ok(())
    }
}
