//! The one writer of this process: a task that owns one connection.
//!
//! Everything that waits when the writer is free goes into one transaction (group commit), so that many small requests
//! share one commit. When one of them fails, the transaction is rolled back and each is carried out in one of its own:
//! a failing request spoils nothing for the others.

mod job;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bell::{Bell, Rings};
use crate::error::{Result, SqliteError};
use crate::operations::{Operation, Tx};
use crate::turnstile::Turnstile;
use job::{Job, Pending};

/// Requests that may wait for the writer; more wait in their callers.
const WAITING: usize = 1024;

/// Requests in one transaction at most.
const GROUP: usize = 256;

/// How long the writer must have had nothing to do before it tidies the write-ahead log.
const IDLE: Duration = Duration::from_millis(500);

/// A write-ahead log under this size is left as it is.
const SMALL_LOG: u64 = 4 << 20;

/// The way to the writer. The writer ends when the last of these is dropped, or when it is told to close; what was asked for
/// by then is still carried out.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    jobs: mpsc::Sender<Box<dyn Job>>,
}

impl Writer {
    pub(crate) fn start(params: WriterParams, tasks: &TaskTracker) -> Self {
        let (jobs, waiting) = mpsc::channel(WAITING);
        tasks.spawn(
            Actor {
                params,
                waiting,
                dirty: false,
            }
            .run(),
        );
        Self { jobs }
    }

    /// Carries the operation out and returns after its commit.
    pub(crate) async fn write<O: Operation>(&self, operation: O) -> Result<O::Output> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Pending::new(operation, reply));
        self.jobs.send(job).await.map_err(|_| SqliteError::Closed)?;
        answer.await.map_err(|_| SqliteError::Closed)?
    }
}

/// What the writer needs.
pub(crate) struct WriterParams {
    pub(crate) conn: SqliteConnection,
    pub(crate) bell: Arc<Bell>,
    /// The write-ahead log's file.
    pub(crate) log: PathBuf,
    pub(crate) turnstile: Turnstile,
    pub(crate) closed: CancellationToken,
}

struct Actor {
    params: WriterParams,
    waiting: mpsc::Receiver<Box<dyn Job>>,
    /// Something was written since the log was tidied last.
    dirty: bool,
}

impl Actor {
    async fn run(mut self) {
        while let Some(first) = self.next().await {
            let group = self.group(first);
            if !group.is_empty() {
                self.carry_out(group).await;
                self.dirty = true;
            }
        }
        if let Err(error) = self.params.conn.close().await {
            tracing::warn!(%error, "the broker's file was not closed cleanly; nothing that was confirmed is lost");
        }
    }

    /// The next job; tidies the log when none comes for a while.
    async fn next(&mut self) -> Option<Box<dyn Job>> {
        if self.dirty {
            match timeout(IDLE, self.receive()).await {
                Ok(job) => return job,
                Err(_) => self.tidy_log().await,
            }
        }
        self.receive().await
    }

    async fn receive(&mut self) -> Option<Box<dyn Job>> {
        tokio::select! {
            biased;
            job = self.waiting.recv() => return job,
            () = self.params.closed.cancelled() => self.waiting.close(),
        }
        self.waiting.recv().await
    }

    /// The first job and what waits behind it, without those whose callers have gone.
    fn group(&mut self, first: Box<dyn Job>) -> Vec<Box<dyn Job>> {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(job) = self.waiting.try_recv()
        {
            group.push(job);
        }
        group.retain(|job| !job.is_abandoned());
        group
    }

    async fn carry_out(&mut self, mut group: Vec<Box<dyn Job>>) {
        match self.params.transact(&mut group).await {
            Ok(rings) => self.finish(group, rings),
            Err(Failure::Within(_)) if group.len() > 1 => self.carry_out_singly(group).await,
            Err(Failure::Begin(error) | Failure::Within(error)) => self.fail(group, error).await,
        }
    }

    async fn carry_out_singly(&mut self, group: Vec<Box<dyn Job>>) {
        for job in group {
            let mut alone = vec![job];
            match self.params.transact(&mut alone).await {
                Ok(rings) => self.finish(alone, rings),
                Err(Failure::Begin(error) | Failure::Within(error)) => {
                    self.fail(alone, error).await
                }
            }
        }
    }

    /// Replies after the rollback. On a full disk the log is moved into the database first: then its file is used again from
    /// the start, and what frees room, such as an acknowledgement, does not need room to do so.
    async fn fail(&mut self, mut group: Vec<Box<dyn Job>>, error: SqliteError) {
        if error.is_full() {
            self.checkpoint("PRAGMA wal_checkpoint(RESTART)").await;
        }
        let last = group.pop();
        group.into_iter().for_each(|job| job.fail(error.again()));
        if let Some(last) = last {
            last.fail(error);
        }
    }

    /// Replies after the commit, and rings first, so that others wake while this process goes on.
    fn finish(&self, group: Vec<Box<dyn Job>>, rings: Rings) {
        self.params.bell.ring(rings);
        group.into_iter().for_each(Job::succeed);
    }

    /// Moves the log into the database and cuts it when it has grown large. Others may hold it up; then it is left for
    /// the next time.
    async fn tidy_log(&mut self) {
        self.dirty = false;
        let size = std::fs::metadata(&self.params.log).map_or(0, |log| log.len());
        if size > SMALL_LOG {
            self.checkpoint("PRAGMA wal_checkpoint(TRUNCATE)").await;
        }
    }

    async fn checkpoint(&mut self, pragma: &'static str) {
        if let Err(error) = sqlx::query(pragma).execute(&mut self.params.conn).await {
            tracing::debug!(%error, "the write-ahead log was not moved into the database");
        }
    }
}

/// Where a transaction failed.
enum Failure {
    /// It did not begin, so it is nobody's fault in particular.
    Begin(SqliteError),
    /// In one of its jobs, or for all of them together.
    Within(SqliteError),
}

impl WriterParams {
    async fn transact(&mut self, group: &mut [Box<dyn Job>]) -> Result<Rings, Failure> {
        let _passage = self.turnstile.pass().await;
        let conn = &mut self.conn;
        sqlx::query("BEGIN IMMEDIATE")
            .execute(&mut *conn)
            .await
            .map_err(|error| Failure::Begin(error.into()))?;
        let outcome = apply_and_commit(conn, group).await;
        if outcome.is_err() {
            // SQLite rolls back by itself after some errors; then this one fails, and that is fine.
            sqlx::query("ROLLBACK").execute(conn).await.ok();
        }
        outcome.map_err(Failure::Within)
    }
}

async fn apply_and_commit(
    conn: &mut SqliteConnection,
    group: &mut [Box<dyn Job>],
) -> Result<Rings> {
    let mut tx = Tx {
        conn: &mut *conn,
        rings: Rings::default(),
    };
    for job in group {
        job.apply(&mut tx).await?;
    }
    let rings = tx.rings;
    sqlx::query("COMMIT").execute(conn).await?;
    Ok(rings)
}
