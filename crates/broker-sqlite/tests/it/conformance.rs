//! The suite on the SQLite broker, each case on a file of its own.

use std::sync::Arc;

use async_trait::async_trait;
use broker::conformance::{
    Harness, Instance, exercise_admin, exercise_broker, exercise_coordinator, exercise_results,
};
use broker::{Backends, ResultPolicy};
use broker_sqlite::{SqliteBroker, SqliteOptions};
use bytes::Bytes;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use testkit::TempDir;

struct Sqlite;

struct SqliteInstance {
    broker: Arc<SqliteBroker>,
    folder: TempDir,
}

impl SqliteInstance {
    /// Changes the file behind the broker's back.
    fn change(&self, change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>) {
        let mut conn = Connection::open(self.folder.path().join("broker.db")).unwrap();
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate);
        let tx = tx.unwrap();
        change(&tx).unwrap();
        tx.commit().unwrap();
    }
}

#[async_trait]
impl Harness for Sqlite {
    async fn fresh(&self, policy: ResultPolicy) -> Box<dyn Instance> {
        let folder = TempDir::new().unwrap();
        let options = SqliteOptions::new(folder.path().join("broker.db"));
        let broker = SqliteBroker::connect(options, Some(policy)).await.unwrap();
        Box::new(SqliteInstance { broker, folder })
    }
}

#[async_trait]
impl Instance for SqliteInstance {
    fn backends(&self) -> Backends {
        self.broker.clone().backends()
    }

    async fn publish_raw(&self, queue: &str, raw: Bytes) {
        self.change(|tx| {
            let message = "INSERT INTO messages (queue, step) VALUES (?, 0)";
            tx.execute(message, [queue])?;
            let body = "INSERT INTO bodies (id, body) VALUES (?, ?)";
            tx.execute(body, (tx.last_insert_rowid(), &raw[..]))?;
            Ok(())
        });
    }

    async fn expire_lease(&self, incarnation: &str) {
        self.change(|tx| {
            let end = "DELETE FROM workers WHERE incarnation = ? RETURNING id";
            let worker: i64 = tx.query_one(end, [incarnation], |row| row.get(0))?;
            let back =
                "UPDATE messages SET state = 0, holder = NULL, redelivered = 1 WHERE holder = ?";
            tx.execute(back, [worker])?;
            Ok(())
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_is_a_broker() {
    exercise_broker(Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_is_a_result_backend() {
    exercise_results(Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_is_a_coordinator() {
    exercise_coordinator(Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_has_an_admin_side() {
    exercise_admin(Sqlite).await;
}
