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

use rusqlite::Connection;

use crate::bell::{News, Rings};
use crate::error::Result;
use crate::sql;

/// Values of the column `messages.state`; the statements name them by number.
pub(crate) mod state {
    pub(crate) const HELD: i64 = 1;
    pub(crate) const RUNNING: i64 = 3;
}

/// The transaction that an operation runs in.
pub(crate) struct Tx<'c> {
    pub(crate) conn: &'c Connection,
    pub(crate) rings: Rings,
}

impl Tx<'_> {
    /// Rings after the commit.
    pub(crate) fn ring(&mut self, news: News) {
        self.rings.add(news);
    }
}

/// One request to the writer. `apply` may run again after a rollback, so it must not use anything up.
pub(crate) trait Operation: Send + 'static {
    /// What the caller gets.
    type Output: Send + 'static;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<Self::Output>;

    /// Called after the commit, before the caller is told, also when the caller has gone.
    fn committed(&mut self, _output: &mut Self::Output) {}

    /// Whether it is pointless when its caller has gone before it began.
    fn needs_caller(&self) -> bool {
        false
    }
}

/// Deletes messages with their bodies.
fn delete_messages(tx: &mut Tx<'_>, ids: &[i64]) -> Result<()> {
    for delete in [
        "DELETE FROM messages WHERE id = ?",
        "DELETE FROM bodies WHERE id = ?",
    ] {
        sql::execute_each(tx.conn, delete, ids.iter().map(|id| [id]))?;
    }
    Ok(())
}
