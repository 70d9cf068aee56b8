//! Short queues: each appears as a whole before an idle worker, and is emptied in a few milliseconds.

use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::time::sleep;
use worker::SendTask as _;

use crate::drain::{LEAD, wait_for_results};
use crate::tasks::Noop;
use crate::trial::{QUEUE, Trial};

/// Where a queue is filled; it gets its name at once.
const PARKED: &str = "bench.parked";
/// Tasks of all rounds together.
const TASKS: usize = 20_000;
/// Time between two looks.
const LOOK: Duration = Duration::from_micros(500);
/// So many keys may be missing: the queue's own, which goes, and those of the housekeeping.
const SLACK: usize = 5;
/// Before each round the worker comes to rest.
const REST: Duration = Duration::from_millis(100);
/// How long one round may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tasks a second, as with long queues from the first 2 % of each queue to its last result: how soon an idle worker begins is measured
/// elsewhere. The queue was filled once already, and the first queue only warms the worker up.
pub(super) async fn per_s(trial: &Trial<'_>, depth: usize) -> anyhow::Result<f64> {
    let client = redis::Client::open(trial.lab().redis().url())?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let worker = trial.start_worker()?;
    wait_for_results(trial, &trial.fill(1).await?).await?;
    let rounds = TASKS.div_ceil(depth);
    let (mut done, mut took) = (0, Duration::ZERO);
    round(trial, &mut connection, depth).await?;
    for _ in 0..rounds {
        let round = round(trial, &mut connection, depth).await?;
        done += round.0;
        took += round.1;
    }
    worker.stop()?;
    Ok(done as f64 / took.as_secs_f64())
}

/// Empties one queue; how many tasks were done after the first, and in what time.
async fn round(
    trial: &Trial<'_>,
    connection: &mut redis::aio::MultiplexedConnection,
    depth: usize,
) -> anyhow::Result<(usize, Duration)> {
    let call = || trial.client().call(Noop {}).queue(PARKED);
    let ids = trial.fill_with(depth, call).await?;
    sleep(REST).await;
    let before: usize = redis::cmd("DBSIZE").query_async(connection).await?;
    let appeared = Instant::now();
    let mut first = None;
    let _: () = redis::cmd("RENAME")
        .arg(PARKED)
        .arg(QUEUE)
        .query_async(connection)
        .await?;
    let counted = loop {
        let keys: usize = redis::cmd("DBSIZE").query_async(connection).await?;
        let done = keys.saturating_sub(before);
        if done as f64 >= depth as f64 * LEAD {
            let (at, first) = *first.get_or_insert((Instant::now(), done));
            if done + SLACK >= depth {
                break (done - first, at.elapsed());
            }
        }
        ensure!(
            appeared.elapsed() < PATIENCE,
            "{done} tasks were done after {PATIENCE:?}"
        );
        sleep(LOOK).await;
    };
    wait_for_results(trial, &ids).await?;
    Ok(counted)
}
