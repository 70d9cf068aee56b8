//! The file: what waits in it. It sends nothing.

use std::path::Path;
use std::sync::Arc;

use broker::Publish;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{Mutex, watch};

use crate::stored::{Record, Stored, StoredRow, WaitingRow};
use crate::{OutboxError, OutboxOptions, Waiting, schema};

/// Most messages that are sent at once, and most bytes of them if they are several.
const BATCH: i64 = 100;
const BATCH_BYTES: usize = 1 << 20;

/// How much waits, refused messages among it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Messages.
    pub messages: i64,
    /// Their bytes as they are stored.
    pub bytes: i64,
}

/// Messages that wait for a broker. Many processes may have the same file open.
#[derive(Debug)]
pub struct Outbox {
    options: OutboxOptions,
    connection: Mutex<SqliteConnection>,
    /// Whether something waits to be sent, as far as this process knows. Changed only by who holds the connection.
    waits: watch::Sender<bool>,
}

impl Outbox {
    /// Opens the file; it is made when it is not there.
    ///
    /// # Errors
    /// When it cannot be made, is damaged, or is something else.
    pub async fn open(options: OutboxOptions) -> Result<Arc<Self>, OutboxError> {
        let connection = schema::open(&options.path).await?;
        let outbox = Self {
            options,
            connection: Mutex::new(connection),
            waits: watch::Sender::new(false),
        };
        outbox.look().await?;
        Ok(Arc::new(outbox))
    }

    /// Where it is, and its bounds.
    pub fn options(&self) -> &OutboxOptions {
        &self.options
    }

    /// Whether something waits to be sent, now and later.
    pub fn waits(&self) -> watch::Receiver<bool> {
        self.waits.subscribe()
    }

    /// Writes messages behind those that wait, all or none. They are on the disk when this returns.
    ///
    /// # Errors
    /// When a bound would be passed, or the file fails.
    pub async fn add(&self, batch: &[Publish]) -> Result<(), OutboxError> {
        let now = Timestamp::now();
        let records = batch.iter().map(|publish| Record::of(publish, now));
        let records = records.collect::<Result<Vec<_>, _>>()?;
        let mut connection = self.connection.lock().await;
        self.add_records(&mut connection, records).await?;
        self.waits.send_replace(true);
        Ok(())
    }

    async fn add_records(
        &self,
        connection: &mut SqliteConnection,
        records: Vec<Record>,
    ) -> Result<(), OutboxError> {
        let mut transaction = connection
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(self.failed())?;
        for record in records {
            sqlx::query(
                "INSERT INTO messages (stored_at, task, task_id, exchange, kind, routing_key, envelope)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(record.stored_at)
            .bind(record.task)
            .bind(record.task_id)
            .bind(record.exchange)
            .bind(record.kind)
            .bind(record.routing_key)
            .bind(record.envelope)
            .execute(&mut *transaction)
            .await
            .map_err(self.failed())?;
        }
        let after = totals(&mut transaction).await.map_err(self.failed())?;
        if !self.fits(after) {
            transaction.rollback().await.map_err(self.failed())?;
            return Err(self.full(totals(connection).await.map_err(self.failed())?));
        }
        transaction.commit().await.map_err(self.failed())
    }

    fn fits(&self, totals: Totals) -> bool {
        let within = |value: i64, most: u64| u64::try_from(value).is_ok_and(|value| value <= most);
        within(totals.messages, self.options.max_messages)
            && within(totals.bytes, self.options.max_bytes)
    }

    fn full(&self, totals: Totals) -> OutboxError {
        OutboxError::Full {
            path: self.options.path.clone(),
            totals,
            max_messages: self.options.max_messages,
            max_bytes: self.options.max_bytes,
        }
    }

    /// How much waits.
    ///
    /// # Errors
    /// When the file fails; so for the following.
    pub async fn totals(&self) -> Result<Totals, OutboxError> {
        let mut connection = self.connection.lock().await;
        totals(&mut connection).await.map_err(self.failed())
    }

    /// What waits, oldest first.
    ///
    /// # Errors
    /// As [`Outbox::totals`].
    pub async fn list(&self, max: usize) -> Result<Vec<Waiting>, OutboxError> {
        let mut connection = self.connection.lock().await;
        let rows: Vec<WaitingRow> = sqlx::query_as(
            "SELECT id, stored_at, task, task_id, routing_key, length(envelope) AS bytes, refused
             FROM messages ORDER BY id LIMIT ?",
        )
        .bind(i64::try_from(max).unwrap_or(i64::MAX))
        .fetch_all(&mut *connection)
        .await
        .map_err(self.failed())?;
        Ok(rows.into_iter().map(Waiting::from).collect())
    }

    /// Deletes messages; returns how many there were.
    ///
    /// # Errors
    /// As [`Outbox::totals`].
    pub async fn delete(&self, ids: &[i64]) -> Result<u64, OutboxError> {
        let mut connection = self.connection.lock().await;
        let mut transaction = connection
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(self.failed())?;
        let mut deleted = 0;
        for id in ids {
            let done = sqlx::query("DELETE FROM messages WHERE id = ?")
                .bind(id)
                .execute(&mut *transaction)
                .await
                .map_err(self.failed())?;
            deleted += done.rows_affected();
        }
        transaction.commit().await.map_err(self.failed())?;
        Ok(deleted)
    }

    /// Deletes everything; returns how many messages.
    ///
    /// # Errors
    /// As [`Outbox::totals`].
    pub async fn clear(&self) -> Result<u64, OutboxError> {
        let mut connection = self.connection.lock().await;
        let done = sqlx::query("DELETE FROM messages")
            .execute(&mut *connection)
            .await;
        Ok(done.map_err(self.failed())?.rows_affected())
    }

    /// Gives refused messages another chance.
    ///
    /// # Errors
    /// As [`Outbox::totals`].
    pub async fn forgive(&self) -> Result<(), OutboxError> {
        let mut connection = self.connection.lock().await;
        let done = sqlx::query("UPDATE messages SET refused = NULL WHERE refused IS NOT NULL")
            .execute(&mut *connection)
            .await;
        done.map_err(self.failed()).map(|_| ())
    }

    /// The broker does not take this one.
    pub(crate) async fn refuse(&self, id: i64, reason: &str) -> Result<(), OutboxError> {
        let mut connection = self.connection.lock().await;
        let done = sqlx::query("UPDATE messages SET refused = ? WHERE id = ?")
            .bind(reason)
            .bind(id)
            .execute(&mut *connection)
            .await;
        done.map_err(self.failed()).map(|_| ())
    }

    /// The oldest that are to be sent, a batch of them.
    pub(crate) async fn oldest(&self) -> Result<Vec<Stored>, OutboxError> {
        let mut connection = self.connection.lock().await;
        let rows = sqlx::query_as(
            "SELECT id, exchange, kind, routing_key, envelope FROM messages
             WHERE refused IS NULL ORDER BY id LIMIT ?",
        )
        .bind(BATCH)
        .fetch(&mut *connection);
        let mut bytes = 0;
        let stored = rows.map_ok(|row: StoredRow| Stored::from(row));
        let fitting = stored.try_take_while(|stored| {
            let first = bytes == 0;
            bytes += stored.bytes();
            std::future::ready(Ok(first || bytes <= BATCH_BYTES))
        });
        fitting.try_collect().await.map_err(self.failed())
    }

    /// Finds out whether something waits to be sent.
    pub(crate) async fn look(&self) -> Result<bool, OutboxError> {
        let mut connection = self.connection.lock().await;
        let waits =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM messages WHERE refused IS NULL)")
                .fetch_one(&mut *connection)
                .await
                .map_err(self.failed())?;
        self.waits
            .send_if_modified(|old| std::mem::replace(old, waits) != waits);
        Ok(waits)
    }

    fn failed(&self) -> impl Fn(sqlx::Error) -> OutboxError {
        let path: &Path = &self.options.path;
        move |error| schema::explain(path, error)
    }
}

async fn totals(connection: &mut SqliteConnection) -> Result<Totals, sqlx::Error> {
    let (messages, bytes) = sqlx::query_as("SELECT messages, bytes FROM totals")
        .fetch_one(connection)
        .await?;
    Ok(Totals { messages, bytes })
}
