//! The row of a run in `task_runs`. A database that is not there or slow delays no task for long and fails none.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use portfolio::store::{NewRun, RunEnd, Store};
use protocol::{ExceptionInfo, Value, saferepr};
use serde::Serialize;
use tracing::debug;
use worker::{Context, Outcome};

use crate::App;

/// Bytes of arguments that a row keeps.
const MOST_BYTES: usize = 10_000;

/// A run that was noted as started. Dropped without [`Record::end`] it is noted as ended from outside.
pub(crate) struct Record {
    store: Option<Store>,
    task_id: String,
    started: Instant,
    /// How long it waits for its row to be written.
    patience: Duration,
}

impl Record {
    pub(crate) async fn start(ctx: &Context, app: &App, args: &str) -> Self {
        let patience = app.record_timeout();
        let store = tokio::time::timeout(patience, app.store()).await;
        let mut record = Self {
            store: store.ok().and_then(Result::ok).cloned(),
            task_id: ctx.id().to_owned(),
            started: Instant::now(),
            patience,
        };
        let run = NewRun {
            task_id: ctx.id(),
            name: ctx.name(),
            queue: ctx.queue(),
            worker: ctx.hostname(),
            args,
            retries: ctx.retries(),
            started: Timestamp::now(),
        };
        if let Some(store) = &record.store
            && !written(patience, store.run_started(run)).await
        {
            record.store = None;
        }
        record
    }

    /// Notes how it ended, or that it runs again.
    pub(crate) async fn end(mut self, outcome: Option<&Outcome>, retries: bool) {
        let Some(store) = self.store.take() else {
            return;
        };
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
        let end = end(self.started, state, error.as_deref());
        written(self.patience, store.run_ended(&self.task_id, end)).await;
    }
}

impl Drop for Record {
    /// The run was ended from outside: by its hard time limit, a revoke or the worker's end.
    fn drop(&mut self) {
        let (Some(store), Ok(runtime)) = (self.store.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let task_id = std::mem::take(&mut self.task_id);
        let (started, patience) = (self.started, self.patience);
        runtime.spawn(async move {
            let why = "the run was ended from outside: by its time limit, a revoke or the end of its worker";
            let end = end(started, "FAILURE", Some(why));
            written(patience, store.run_ended(&task_id, end)).await;
        });
    }
}

fn end<'e>(started: Instant, state: &'e str, error: Option<&'e str>) -> RunEnd<'e> {
    RunEnd {
        state,
        finished: Timestamp::now(),
        duration: SignedDuration::try_from(started.elapsed()).unwrap_or(SignedDuration::MAX),
        error,
    }
}

async fn written(
    patience: Duration,
    write: impl Future<Output = portfolio::error::Result<()>>,
) -> bool {
    match tokio::time::timeout(patience, write).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            debug!(%error, "the run is not recorded");
            false
        }
        Err(_) => {
            debug!("the run is not recorded: the database is slow");
            false
        }
    }
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
