//! The one writer of this process: a thread that owns one connection.
//!
//! Everything that waits when the writer is free goes into one transaction (group commit), so that many small requests
//! share one commit; a single one never waits for others. When one of them fails, the transaction is rolled back and each is
//! carried out in one of its own: a failing request spoils nothing for the others.

mod job;
mod log;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::bell::{Bell, Rings};
use crate::error::{Result, SqliteError};
use crate::operations::{Operation, Tx};
use crate::sql;
use crate::turnstile::Turnstile;
use job::{Job, Pending};
pub(crate) use log::Log;

/// Requests that may wait for the writer; more wait in their callers.
const WAITING: usize = 1024;

/// Requests in one transaction at most.
const GROUP: usize = 256;

/// How long the writer must have had nothing to do before it tidies the write-ahead log.
const IDLE: Duration = Duration::from_millis(500);

/// The way to the writer. The writer ends when the last of these is dropped, or when it is told to close; what was asked for
/// by then is still carried out.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    jobs: mpsc::Sender<Box<dyn Job>>,
}

impl Writer {
    /// Starts the thread; `tasks` knows of it until it has ended.
    pub(crate) fn start(params: WriterParams, tasks: &TaskTracker) -> Result<Self> {
        // The caller's runtime may end before the last jobs are done, and the thread waits for nothing but jobs and time.
        let runtime = Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(SqliteError::Thread)?;
        let (jobs, waiting) = mpsc::channel(WAITING);
        let actor = Actor {
            params,
            waiting,
            dirty: false,
        };
        let running = tasks.token();
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || actor.run(&runtime, running))
            .map_err(SqliteError::Thread)?;
        Ok(Self { jobs })
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
    pub(crate) conn: Connection,
    pub(crate) bell: Arc<Bell>,
    pub(crate) log: Log,
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
    fn run(mut self, runtime: &Runtime, _running: TaskTrackerToken) {
        while let Some(first) = runtime.block_on(self.next()) {
            let group = self.group(first);
            if !group.is_empty() {
                self.carry_out(group);
                self.params.log.bound(&self.params.conn);
                self.dirty = true;
            }
        }
        if let Err((_, error)) = self.params.conn.close() {
            tracing::warn!(%error, "the broker's file was not closed cleanly; nothing that was confirmed is lost");
        }
    }

    /// The next job; tidies the log when none comes for a while, until it is tidy.
    async fn next(&mut self) -> Option<Box<dyn Job>> {
        while self.dirty {
            match timeout(IDLE, self.receive()).await {
                Ok(job) => return job,
                Err(_) => self.dirty = !self.params.log.tidy(&self.params.conn),
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

    fn carry_out(&mut self, mut group: Vec<Box<dyn Job>>) {
        match self.params.transact(&mut group) {
            Ok(rings) => self.finish(group, rings),
            Err(Failure::Within(_)) if group.len() > 1 => self.carry_out_singly(group),
            Err(Failure::Begin(error) | Failure::Within(error)) => self.fail(group, error),
        }
    }

    fn carry_out_singly(&mut self, group: Vec<Box<dyn Job>>) {
        for job in group {
            let mut alone = vec![job];
            match self.params.transact(&mut alone) {
                Ok(rings) => self.finish(alone, rings),
                Err(Failure::Begin(error) | Failure::Within(error)) => self.fail(alone, error),
            }
        }
    }

    /// Replies after the rollback. On a full disk the log is moved into the database first: then its file is used again from
    /// the start, and what frees room, such as an acknowledgement, does not need room to do so.
    fn fail(&mut self, mut group: Vec<Box<dyn Job>>, error: SqliteError) {
        if error.is_full() {
            self.params.log.restart(&self.params.conn);
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
}

/// Where a transaction failed.
enum Failure {
    /// It did not begin, so it is nobody's fault in particular.
    Begin(SqliteError),
    /// In one of its jobs, or for all of them together.
    Within(SqliteError),
}

impl WriterParams {
    /// One transaction. It takes the write lock at once, so that it never fails in the middle because another process wrote.
    fn transact(&mut self, group: &mut [Box<dyn Job>]) -> Result<Rings, Failure> {
        let _passage = self.turnstile.pass();
        sql::execute(&self.conn, "BEGIN IMMEDIATE", []).map_err(Failure::Begin)?;
        let outcome = apply_and_commit(&self.conn, group);
        if outcome.is_err() {
            // SQLite rolls back by itself after some errors; then this one fails, and that is fine.
            sql::execute(&self.conn, "ROLLBACK", []).ok();
        }
        outcome.map_err(Failure::Within)
    }
}

fn apply_and_commit(conn: &Connection, group: &mut [Box<dyn Job>]) -> Result<Rings> {
    let mut tx = Tx {
        conn,
        rings: Rings::default(),
    };
    for job in group {
        job.apply(&mut tx)?;
    }
    sql::execute(conn, "COMMIT", [])?;
    Ok(tx.rings)
}
