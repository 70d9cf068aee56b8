//! kombu's sweep: what was held longer than `visibility_timeout` without a sign of life is ready again. It returns what Python workers
//! left. Living incarnations of ours refresh what they hold; should an outage have kept them from it, they are left out by name.
//!
//! Where kombu drops a message whose exchange it does not know, this keeps it: the binding itself says how it matches, and a message
//! that nothing matches stays held.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use broker::{Notice, Result};
use redis::{Pipeline, Value};
use uuid::Uuid;

use super::restore::{Return, put_back};
use super::shared::{Shared, decode};
use super::sweep::jittered;
use super::tag;
use crate::envelope::{self, Held};
use crate::script;

/// Longest time between two sweeps.
const INTERVAL: Duration = Duration::from_secs(10);
/// How long a sweeper that died keeps others away: kombu's `unacked_mutex_expire`.
const MUTEX_MS: u64 = 300_000;
/// Messages of one step.
const CHUNK: usize = 64;

/// Sweeps every ten seconds, or more often when the visibility time-out is short.
pub(super) async fn run(shared: Arc<Shared>) {
    let interval = INTERVAL.min(shared.params.visibility_timeout / 3);
    loop {
        tokio::time::sleep(jittered(interval)).await;
        if let Err(error) = sweep_alone(&shared).await {
            tracing::error!(%error, "cannot sweep abandoned messages");
        }
    }
}

/// Sweeps if nobody else does, Python workers included.
async fn sweep_alone(shared: &Shared) -> Result<()> {
    let token = Uuid::new_v4().to_string();
    let mut lock = redis::cmd("SET");
    lock.arg(&shared.keys.unacked_mutex)
        .arg(&token)
        .arg("NX")
        .arg("PX")
        .arg(MUTEX_MS);
    if shared
        .keep
        .persist("sweep abandoned messages", lock)
        .await?
        == Value::Nil
    {
        return Ok(());
    }
    let swept = sweep(shared).await;
    let mut release = script::RELEASE.on(&[&shared.keys.unacked_mutex]);
    release.arg(&token);
    shared
        .keep
        .persist("sweep abandoned messages", release)
        .await?;
    let messages = swept?;
    if messages > 0 {
        tracing::info!(messages, "abandoned messages are ready again");
        shared.notify(Notice::Reclaimed {
            from: "visibility_timeout".to_owned(),
            messages,
        });
    }
    Ok(())
}

/// Newest first, as kombu does, so that the oldest ends up foremost.
async fn sweep(shared: &Shared) -> Result<usize> {
    let (mut restored, mut skipped) = (0, 0);
    let Some((living, mut before)) = overview(shared).await? else {
        return Ok(0);
    };
    loop {
        let (tags, lowest) = page(shared, &before, skipped).await?;
        if tags.is_empty() {
            return Ok(restored);
        }
        let page = tags.len();
        let tags: Vec<Arc<str>> = tags
            .into_iter()
            .filter(|tag| !is_living(tag, &living))
            .collect();
        let returned = put_back(shared, &shared.keep, &returns(shared, &tags).await?).await?;
        restored += returned;
        // What stays held is passed over: by its score, or by its number among those of one score.
        skipped = if lowest == before {
            skipped + page - returned
        } else {
            0
        };
        before = lowest;
    }
}

/// The living incarnations, and the time before which a message counts as abandoned; `None` when nothing does.
async fn overview(shared: &Shared) -> Result<Option<(HashSet<String>, String)>> {
    let mut pipeline = Pipeline::new();
    pipeline.cmd("TIME");
    pipeline
        .cmd("ZRANGE")
        .arg(&shared.keys.workers)
        .arg(0)
        .arg(-1);
    pipeline
        .cmd("ZRANGE")
        .arg(&shared.keys.unacked_index)
        .arg(0)
        .arg(0)
        .arg("WITHSCORES");
    let action = "sweep abandoned messages";
    let mut answers = shared
        .keep
        .send(action, &pipeline)
        .await?
        .answers
        .into_iter();
    let mut next = || answers.next().unwrap_or(Value::Nil);
    let (seconds, _): (u64, u64) = decode(&shared.keep, action, next())?;
    let living: Vec<String> = decode(&shared.keep, action, next())?;
    let oldest: Vec<(String, f64)> = decode(&shared.keep, action, next())?;
    let before = seconds as f64 - shared.params.visibility_timeout.as_secs_f64();
    let any = oldest.first().is_some_and(|(_, score)| *score <= before);
    Ok(any.then(|| (living.into_iter().collect(), before.to_string())))
}

async fn page(shared: &Shared, before: &str, skipped: usize) -> Result<(Vec<Arc<str>>, String)> {
    let mut command = redis::cmd("ZRANGE");
    command
        .arg(&shared.keys.unacked_index)
        .arg(before)
        .arg("-inf")
        .arg("BYSCORE")
        .arg("REV");
    command
        .arg("LIMIT")
        .arg(skipped)
        .arg(CHUNK)
        .arg("WITHSCORES");
    let answer = shared
        .keep
        .persist("sweep abandoned messages", command)
        .await?;
    let found: Vec<(String, f64)> = decode(&shared.keep, "sweep abandoned messages", answer)?;
    let lowest = found
        .last()
        .map_or_else(|| before.to_owned(), |(_, score)| score.to_string());
    Ok((
        found.into_iter().map(|(tag, _)| tag.into()).collect(),
        lowest,
    ))
}

fn is_living(tag: &str, living: &HashSet<String>) -> bool {
    tag::read(tag).is_some_and(|parts| living.contains(parts.incarnation))
}

async fn returns(shared: &Shared, tags: &[Arc<str>]) -> Result<Vec<Return>> {
    let mut returns = Vec::with_capacity(tags.len());
    let records = shared.records(&shared.keep, tags).await?;
    for (tag, record) in tags.iter().zip(records) {
        let Some(record) = record else { continue };
        let Some(held) = envelope::read_own(&record).or_else(|| envelope::read_foreign(&record))
        else {
            tracing::warn!(%tag, "a held message cannot be understood and stays where it is");
            continue;
        };
        let lists = destinations(shared, &held).await?;
        if lists.is_empty() {
            tracing::warn!(%tag, exchange = %held.exchange, routing_key = %held.routing_key, "no queue is bound for a held message; it stays held");
            continue;
        }
        returns.push(Return {
            tag: Arc::clone(tag),
            envelope: envelope::redelivered(held.envelope),
            lists,
        });
    }
    Ok(returns)
}

async fn destinations(shared: &Shared, held: &Held<'_>) -> Result<Vec<String>> {
    let keys = &shared.keys;
    let step = keys.step(envelope::priority(held.envelope));
    let queues = match held.exchange.as_ref() {
        "" => vec![held.routing_key.to_string()],
        exchange => {
            let routing = &shared.router.routing;
            routing
                .queues(&shared.keep, keys, exchange, &held.routing_key)
                .await?
        }
    };
    Ok(queues.iter().map(|queue| keys.list(queue, step)).collect())
}
