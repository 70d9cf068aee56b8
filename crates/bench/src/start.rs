//! `start`: from `exec` of the worker to the first statement of a task that was queued already.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::lab::Lab;
use crate::row::Row;
use crate::setup::Setup;
use crate::size::Size;
use crate::trial::Trial;

/// How long a worker may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// One start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StartRun {
    /// Milliseconds.
    pub(crate) ms: f64,
}

/// Measures ours on every store, and Celery.
pub(crate) async fn run(lab: &Lab, size: &Size) -> Vec<Row<StartRun>> {
    let setups = size.chosen(Setup::usual());
    lab.repeat("start", setups, size.reps, once).await
}

async fn once(trial: &Trial<'_>) -> anyhow::Result<StartRun> {
    trial.send_stamps(1, Duration::ZERO).await?;
    let worker = trial.start_worker()?;
    let stamps = trial.stamps.wait_for(1, DEADLINE).await?;
    let ms = (stamps[0].started - worker.started()) * 1e3;
    worker.stop()?;
    Ok(StartRun { ms })
}
