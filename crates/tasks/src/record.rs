//! The row of a run in `task_runs`. A database that is not there or slow delays no task for long and fails none; what it is
//! slow to write is written while the run, or the next one, goes on.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use portfolio::error::{Error, Result};
use portfolio::store::{NewRun, RunEnd, Store};
use protocol::{ExceptionInfo, Value, saferepr};
use serde::Serialize;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tracing::debug;
use worker::{Context, Outcome};

use crate::App;

/// Bytes of arguments that a row keeps.
const MOST_BYTES: usize = 10_000;

/// How often a row is tried that others keep from being written, and the pause between.
const TRIES: usize = 10;
const PAUSE: Duration = Duration::from_secs(1);

/// A run that was noted as started. Dropped without [`Record::end`] it is noted as ended from outside.
pub(crate) struct Record {
    store: Option<Store>,
    task_id: String,
    retries: u32,
    started: Instant,
    /// How long it waits for its row to be written.
    patience: Duration,
    /// The row of its start, while that is still being written.
    beginning: Option<JoinHandle<()>>,
}

impl Record {
    pub(crate) async fn start(ctx: &Context, app: &App, args: String) -> Self {
        let patience = app.record_timeout();
        let store = tokio::time::timeout(patience, app.store()).await;
        let mut record = Self {
            store: store.ok().and_then(Result::ok).cloned(),
            task_id: ctx.id().to_owned(),
            retries: ctx.retries(),
            started: Instant::now(),
            patience,
            beginning: None,
        };
        if let Some(store) = record.store.clone() {
            let run = NewRun {
                task_id: ctx.id().to_owned(),
                name: ctx.name().to_owned(),
                queue: ctx.queue().to_owned(),
                worker: ctx.hostname().to_owned(),
                args,
                retries: ctx.retries(),
                started: Timestamp::now(),
            };
            let row = async move { written(|| store.run_started(&run)).await };
            let row = record.beginning.insert(tokio::spawn(row));
            if in_time(patience, row).await {
                record.beginning = None;
            }
        }
        record
    }

    /// Notes how it ended, or that it runs again.
    pub(crate) async fn end(mut self, outcome: Option<&Outcome>, retries: bool) {
        let (state, error) = match outcome {
            None => ("SUCCESS", None),
            Some(Outcome::Fail(failure)) => {
                let state = if retries { "RETRY" } else { "FAILURE" };
                (state, Some(text(&failure.exception)))
            }
            Some(Outcome::Retry(_)) => ("RETRY", None),
            Some(Outcome::Reject { reason, .. }) => ("REJECTED", Some(reason.clone())),
            Some(Outcome::Ignore) => ("IGNORED", None),
            Some(Outcome::Replace(_)) => ("REPLACED", None),
        };
        if let Some(ending) = self.ended(state, error) {
            in_time(self.patience, ending).await;
        }
    }

    /// Writes how it ended, after the row of its start, whoever waits for that.
    fn ended(&mut self, state: &'static str, error: Option<String>) -> Option<JoinHandle<()>> {
        let store = self.store.take()?;
        let beginning = self.beginning.take();
        let task_id = std::mem::take(&mut self.task_id);
        let end = RunEnd {
            retries: self.retries,
            state,
            finished: Timestamp::now(),
            duration: SignedDuration::try_from(self.started.elapsed())
                .unwrap_or(SignedDuration::MAX),
            error,
        };
        Some(Handle::try_current().ok()?.spawn(async move {
            if let Some(beginning) = beginning {
                beginning.await.ok();
            }
            written(|| store.run_ended(&task_id, &end)).await;
        }))
    }
}

impl Drop for Record {
    /// The run was ended from outside: by its hard time limit, a revoke or the worker's end.
    fn drop(&mut self) {
        let why =
            "the run was ended from outside: by its time limit, a revoke or the end of its worker";
        self.ended("FAILURE", Some(why.to_owned()));
    }
}

/// Whether the row is written before the run has waited long enough; else it is written later.
async fn in_time(patience: Duration, row: impl Future) -> bool {
    let waited = tokio::time::timeout(patience, row).await;
    if waited.is_err() {
        debug!("the row of a run is still being written");
    }
    waited.is_ok()
}

/// Writes a row. A database that others keep from being written is asked again; each time it has waited by itself.
async fn written<W: Future<Output = Result<()>>>(write: impl Fn() -> W) {
    for _ in 0..TRIES {
        match write().await {
            Ok(()) => return,
            Err(Error::DatabaseBusy { .. }) => tokio::time::sleep(PAUSE).await,
            Err(error) => return debug!(%error, "the run is not recorded"),
        }
    }
    debug!("the run is not recorded: the database is busy");
}

fn text(exception: &ExceptionInfo) -> String {
    let args: Vec<String> = exception
        .exc_message
        .iter()
        .map(|value| match value {
            Value::Str(text) => text.clone(),
            other => saferepr(other, MOST_BYTES, 0),
        })
        .collect();
    format!("{}: {}", exception.exc_type, args.join(", "))
}

/// The arguments by their names, as they were understood, as JSON; large ones by their size.
pub(crate) fn arguments(bound: &impl Serialize) -> String {
    let all = serde_json::to_string(bound).expect("arguments came as JSON or what is like it");
    if all.len() > MOST_BYTES {
        return serde_json::json!({"bytes": all.len()}).to_string();
    }
    all
}
