//! The suite on the SQLite broker, each case on a file of its own.

use std::sync::Arc;

use async_trait::async_trait;
use broker::conformance::{
    Harness, Instance, exercise_admin, exercise_broker, exercise_coordinator, exercise_results,
};
use broker::{Backends, ResultPolicy};
use broker_sqlite::{SqliteBroker, SqliteOptions};
use bytes::Bytes;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use testkit::TempDir;

struct Sqlite;

struct SqliteInstance {
    broker: Arc<SqliteBroker>,
    folder: TempDir,
}

impl SqliteInstance {
    async fn raw(&self) -> SqliteConnection {
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(self.folder.path().join("broker.db"));
        options.connect().await.unwrap()
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
        let mut conn = self.raw().await;
        let mut tx = conn.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let message = sqlx::query("INSERT INTO messages (queue, step) VALUES (?, 0)").bind(queue);
        let id = message.execute(&mut *tx).await.unwrap().last_insert_rowid();
        let body = sqlx::query("INSERT INTO bodies (id, body) VALUES (?, ?)")
            .bind(id)
            .bind(&raw[..]);
        body.execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn expire_lease(&self, incarnation: &str) {
        let mut conn = self.raw().await;
        let mut tx = conn.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let end = sqlx::query_scalar("DELETE FROM workers WHERE incarnation = ? RETURNING id")
            .bind(incarnation);
        let worker: i64 = end.fetch_one(&mut *tx).await.unwrap();
        let back = "UPDATE messages SET state = 0, holder = NULL, redelivered = 1 WHERE holder = ?";
        sqlx::query(back)
            .bind(worker)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
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
