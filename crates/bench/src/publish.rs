//! `publish`: how many tasks a second a producer publishes: one by one, in batches, and by many at the same time.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use client::{Client, ClientError};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use worker::SendTask as _;

use crate::lab::Lab;
use crate::limit;
use crate::row::Row;
use crate::setup::{Engine, Setup, Store};
use crate::size::Size;
use crate::tasks::Noop;
use crate::trial::Trial;

/// For each of the samples of a series, so many tasks are published one by one.
const ONE_BY_ONE: usize = 10;
/// Producers at the same time over one client, and how many tasks each publishes one by one.
const PRODUCERS: usize = 1_000;
const OF_EACH: usize = 20;

/// One producer's process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PublishRun {
    /// Tasks a second, each published when the one before is.
    pub(crate) one_by_one_per_s: f64,
    /// `LPUSH`es a second of messages as long, one by one on one connection, immediately before.
    pub(crate) raw_per_s: Option<f64>,
    /// Tasks a second in batches of 1,000.
    pub(crate) batch_per_s: Option<f64>,
    /// Tasks a second by a thousand producers, each of which publishes one by one.
    pub(crate) concurrent_per_s: Option<f64>,
}

impl PublishRun {
    /// The part of the raw `LPUSH`es that was reached one by one.
    pub(crate) fn of_raw(&self) -> Option<f64> {
        Some(self.one_by_one_per_s / self.raw_per_s?)
    }
}

/// Measures ours on every store, and Celery's client.
pub(crate) async fn run(lab: &Lab, size: &Size) -> Vec<Row<PublishRun>> {
    let once = async |trial: &Trial<'_>| match trial.setup.engine {
        Engine::Celeriac => ours_once(trial, size).await,
        Engine::Celery => celery_once(trial, size),
    };
    lab.repeat("publish", size.chosen(Setup::usual()), size.reps, once)
        .await
}

async fn ours_once(trial: &Trial<'_>, size: &Size) -> anyhow::Result<PublishRun> {
    let count = size.samples * ONE_BY_ONE;
    trial.fill(1).await?;
    let raw_per_s = raw(trial, count)?;
    // A producer is a task of the runtime, as a web server's are.
    let one_by_one = one_by_one(trial.client().clone(), count);
    let one_by_one_per_s = tokio::spawn(one_by_one).await??;
    let begin = Instant::now();
    trial.fill(size.tasks).await?;
    Ok(PublishRun {
        one_by_one_per_s,
        raw_per_s,
        batch_per_s: Some(rate(size.tasks, begin)),
        concurrent_per_s: Some(concurrent(trial).await?),
    })
}

async fn one_by_one(client: Client, count: usize) -> Result<f64, ClientError> {
    let begin = Instant::now();
    for _ in 0..count {
        client.send(Noop {}).await?;
    }
    Ok(rate(count, begin))
}

/// Raw pushes of messages as long as the one that is queued; `None` where there is no Redis.
fn raw(trial: &Trial<'_>, count: usize) -> anyhow::Result<Option<f64>> {
    if trial.setup.store != Store::Redis {
        return Ok(None);
    }
    let redis = trial.lab().redis();
    let length = redis.cli(&["LINDEX", "celery", "0"]).len();
    limit::pushes_per_s(redis, count, length).map(Some)
}

async fn concurrent(trial: &Trial<'_>) -> anyhow::Result<f64> {
    let client = Arc::new(trial.client().clone());
    let begin = Instant::now();
    let mut producers = JoinSet::new();
    for _ in 0..PRODUCERS {
        let client = Arc::clone(&client);
        producers.spawn(async move {
            for _ in 0..OF_EACH {
                client.send(Noop {}).await?;
            }
            Ok::<_, client::ClientError>(())
        });
    }
    while let Some(producer) = producers.join_next().await {
        producer??;
    }
    Ok(rate(PRODUCERS * OF_EACH, begin))
}

fn celery_once(trial: &Trial<'_>, size: &Size) -> anyhow::Result<PublishRun> {
    let count = size.samples * ONE_BY_ONE;
    let seconds: f64 = trial
        .celery_script("bench_publish.py", &[count.to_string()])?
        .trim()
        .parse()
        .context("the script prints its seconds")?;
    Ok(PublishRun {
        one_by_one_per_s: count as f64 / seconds,
        raw_per_s: None,
        batch_per_s: None,
        concurrent_per_s: None,
    })
}

fn rate(count: usize, begin: Instant) -> f64 {
    count as f64 / begin.elapsed().as_secs_f64()
}
