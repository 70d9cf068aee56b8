//! Which tasks have run: one row for each task id, of its newest run.

use jiff::{SignedDuration, Timestamp};

use super::Store;
use crate::error::Result;

/// A run that begins.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// The task's id.
    pub task_id: String,
    /// Its registered name.
    pub name: String,
    /// The queue that it came from.
    pub queue: String,
    /// The worker.
    pub worker: String,
    /// Its arguments by name, as JSON.
    pub args: String,
    /// How often it was retried before.
    pub retries: u32,
    /// When it begins.
    pub started: Timestamp,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct RunEnd {
    /// How often it had been retried before; a row of a later run stays as it is.
    pub retries: u32,
    /// Celery's state.
    pub state: &'static str,
    /// When.
    pub finished: Timestamp,
    /// How long it took.
    pub duration: SignedDuration,
    /// What went wrong.
    pub error: Option<String>,
}

impl Store {
    /// Notes that a run begins; a row of an earlier run of the same task is replaced.
    pub async fn run_started(&self, run: &NewRun) -> Result<()> {
        let query = self.sql(
            "INSERT INTO task_runs (task_id, name, queue, state, worker, args, started_at, retries)
             VALUES (?1, ?2, ?3, 'STARTED', ?4, ?5::jsonb, ?6::timestamptz, ?7::int)
             ON CONFLICT (task_id) DO UPDATE SET name = excluded.name, queue = excluded.queue, state = excluded.state,
               worker = excluded.worker, args = excluded.args, started_at = excluded.started_at, retries = excluded.retries,
               finished_at = NULL, duration_ms = NULL, error = NULL",
        );
        let query = query
            .bind(run.task_id.as_str())
            .bind(run.name.as_str())
            .bind(run.queue.as_str())
            .bind(run.worker.as_str())
            .bind(run.args.as_str())
            .bind(run.started)
            .bind(i64::from(run.retries));
        query.execute().await.map(|_| ())
    }

    /// Notes how it ended.
    pub async fn run_ended(&self, task_id: &str, end: &RunEnd) -> Result<()> {
        let query = self.sql(
            "UPDATE task_runs SET state = ?2, finished_at = ?3::timestamptz, duration_ms = ?4, error = ?5
             WHERE task_id = ?1 AND retries = ?6::int",
        );
        let duration = i64::try_from(end.duration.as_millis()).unwrap_or(i64::MAX);
        let query = query
            .bind(task_id)
            .bind(end.state)
            .bind(end.finished)
            .bind(duration)
            .bind(end.error.clone())
            .bind(i64::from(end.retries));
        query.execute().await.map(|_| ())
    }
}
