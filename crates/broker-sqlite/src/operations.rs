//! What the writer can do, one file for each kind. An operation is a value with everything it needs; it runs within
//! the writer's transaction and knows nothing of the tasks that asked for it.

pub(crate) mod chords;
pub(crate) mod coordinate;
pub(crate) mod deferred;
pub(crate) mod effects;
pub(crate) mod feed;
pub(crate) mod lease;
pub(crate) mod mailbox;
pub(crate) mod parked;
pub(crate) mod publish;
pub(crate) mod remember;
pub(crate) mod reserve;
pub(crate) mod results;
pub(crate) mod settle;
pub(crate) mod tidy;

use async_trait::async_trait;
use sqlx::SqliteConnection;

use crate::bell::{News, Rings};
use crate::error::Result;
use crate::pack::json;

/// Values of the column `messages.state`; the statements name them by number.
pub(crate) mod state {
    pub(crate) const HELD: i64 = 1;
    pub(crate) const RUNNING: i64 = 3;
}

/// The transaction that an operation runs in.
pub(crate) struct Tx<'c> {
    pub(crate) conn: &'c mut SqliteConnection,
    pub(crate) rings: Rings,
}

impl Tx<'_> {
    /// Rings after the commit.
    pub(crate) fn ring(&mut self, news: News) {
        self.rings.add(news);
    }
}

/// One request to the writer. `apply` may run again after a rollback, so it must not use anything up.
#[async_trait]
pub(crate) trait Operation: Send + 'static {
    /// What the caller gets.
    type Output: Send + 'static;

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<Self::Output>;

    /// Called after the commit, before the caller is told, also when the caller has gone.
    fn committed(&mut self, _output: &mut Self::Output) {}

    /// Whether it is pointless when its caller has gone before it began.
    fn needs_caller(&self) -> bool {
        false
    }
}

/// Deletes messages with their bodies.
async fn delete_messages(tx: &mut Tx<'_>, ids: &[i64]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids = json(ids)?;
    for sql in [
        "DELETE FROM messages WHERE id IN (SELECT value FROM json_each(?))",
        "DELETE FROM bodies WHERE id IN (SELECT value FROM json_each(?))",
    ] {
        sqlx::query(sql).bind(&ids).execute(&mut *tx.conn).await?;
    }
    Ok(())
}
