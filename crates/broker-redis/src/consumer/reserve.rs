//! Reserving: one script takes and holds; when nothing is there, wait.
//!
//! The script runs in a task of its own, so that a caller who goes away strands nothing: what it took waits for the next caller.
//! A caller who goes away also ends the waiting: nothing more is taken for him.
//! An answer that got lost with its connection is looked for under the numbers that its tags would have.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use broker::{BrokerError, Delivery, Received, Result, Tag};
use redis::{RedisError, Value};
use tokio_util::sync::CancellationToken;

use super::queues::Queue;
use super::shared::{Shared, decode};
use super::{lease, suspects, tag};
use crate::envelope;
use crate::error::{closed, is_outage};
use crate::script;

/// Most messages of one reservation; more are had by asking again. Bounds how long the script occupies the server.
const MOST: usize = 1_000;
/// The field in which kombu says that a message was given back.
const REDELIVERED: &str = "redelivered";

pub(super) async fn reserve(shared: &Arc<Shared>, max: usize) -> Result<Vec<Delivery>> {
    let max = max.clamp(1, MOST);
    let caller = CancellationToken::new();
    let _gone = caller.clone().drop_guard();
    let mut turn = shared.turn.lock().await;
    loop {
        if let Some(fetching) = turn.as_mut() {
            let fetched = fetching.await;
            *turn = None;
            fetched.map_err(|_| closed())??;
        }
        let ready = shared.holds.take(max);
        if !ready.is_empty() {
            return Ok(ready);
        }
        if shared.stop.is_cancelled() {
            return Err(closed());
        }
        *turn = Some(tokio::spawn(fetch(Arc::clone(shared), caller.clone(), max)));
    }
}

/// Waits until something is there and takes it. Ends with deliveries waiting, when the caller has gone, or with an error.
async fn fetch(shared: Arc<Shared>, caller: CancellationToken, max: usize) -> Result<()> {
    let mut backoff = shared.hot.backoff();
    while shared.holds.is_idle() && !caller.is_cancelled() {
        match attempt(&shared, max).await {
            Ok(Some(odd)) => {
                backoff = shared.hot.backoff();
                let waited = caller.run_until_cancelled(wait(&shared, &odd)).await;
                waited.transpose()?;
            }
            Ok(None) => {}
            Err(Failure::Outage) => {
                tokio::select! {
                    () = backoff.pause() => {}
                    () = shared.stop.cancelled() => return Err(closed()),
                }
                suspects::recover(&shared).await?;
            }
            Err(Failure::Final(error)) => return Err(error),
        }
    }
    Ok(())
}

/// Why an attempt brought nothing.
enum Failure {
    /// The connection; waiting mends it.
    Outage,
    Final(BrokerError),
}

impl From<BrokerError> for Failure {
    fn from(error: BrokerError) -> Self {
        Self::Final(error)
    }
}

/// Takes once. `None` when there is no need to wait before the next attempt, else the positions of keys that are no lists.
async fn attempt(shared: &Shared, max: usize) -> Result<Option<Vec<usize>>, Failure> {
    let fail = |error: RedisError| {
        if is_outage(&error) {
            Failure::Outage
        } else {
            shared.hot.explain("reserve messages", error).into()
        }
    };
    shared.hot.ensure().await.map_err(fail)?;
    let (plan, fair) = shared.plan();
    let incarnation = shared.lease.current();
    let asked = Instant::now();
    let first = shared.next_number.fetch_add(max as u64, Ordering::Relaxed);
    let command = command(shared, &plan, fair, &incarnation, max, first);
    match shared.hot.try_call(command).await {
        Ok(Value::Int(_)) => {
            lease::replace(shared, &incarnation).await?;
            Ok(None)
        }
        Ok(answer) => {
            let (lots, odd): (Vec<Value>, Vec<usize>) =
                decode(&shared.hot, "reserve messages", answer)?;
            let any = keep(shared, &plan, &incarnation, first, asked, lots)?;
            Ok((!any).then_some(odd))
        }
        Err(error) => {
            shared
                .suspects
                .add(incarnation, shared.keys.steps(), first, max as u64)
                .await;
            Err(fail(error))
        }
    }
}

fn command(
    shared: &Shared,
    plan: &[Arc<Queue>],
    fair: bool,
    incarnation: &str,
    max: usize,
    first: u64,
) -> redis::Cmd {
    let keys = &shared.keys;
    let mut names: Vec<&str> = vec![
        &keys.unacked,
        &keys.unacked_index,
        &keys.poison,
        &keys.workers,
    ];
    names.extend(lists(shared, plan));
    let mut command = script::RESERVE.on(&names);
    command
        .arg(incarnation)
        .arg(max)
        .arg(first)
        .arg(if fair { "fair" } else { "strict" })
        .arg(plan.len());
    for queue in plan {
        command.arg(&queue.json);
    }
    for step in keys.steps() {
        command.arg(step);
    }
    command
}

/// All queues' lists of the first step, then of the second, ...
fn lists<'a>(shared: &Shared, plan: &'a [Arc<Queue>]) -> impl Iterator<Item = &'a str> {
    let steps = shared.keys.steps().len();
    (0..steps).flat_map(move |step| plan.iter().map(move |queue| queue.lists[step].as_str()))
}

/// Notes what the script took; whether that was anything.
fn keep(
    shared: &Shared,
    plan: &[Arc<Queue>],
    incarnation: &str,
    first: u64,
    asked: Instant,
    lots: Vec<Value>,
) -> Result<bool> {
    if *shared.lease.current() != *incarnation {
        // The lease was lost meanwhile; what was taken is given to others by the sweep.
        return Ok(false);
    }
    let mut kept = Vec::new();
    let mut numbers = first..;
    let mut last = None;
    let mut lots = lots.into_iter();
    while let (Some(position), Some(payloads)) = (lots.next(), lots.next()) {
        let position: usize = decode(&shared.hot, "reserve", position)?;
        let payloads: Vec<Value> = decode(&shared.hot, "reserve", payloads)?;
        let queue = &plan[position % plan.len()];
        let step = shared.keys.steps()[position / plan.len()];
        for payload in payloads {
            let payload: Vec<u8> = decode(&shared.hot, "reserve", payload)?;
            let number = numbers.next().expect("there is always one number more");
            let tag = tag::write(incarnation, tag::is_poison(&payload), step, number);
            let name = Arc::clone(&queue.name);
            kept.push(delivery(shared, tag, name, payload, asked));
        }
        last = Some(queue);
    }
    shared.holds.add(kept);
    if let Some(queue) = last {
        shared
            .queues
            .lock()
            .expect("no holder of this lock panics")
            .delivered(&queue.name);
    }
    Ok(last.is_some())
}

pub(super) fn delivery(
    shared: &Shared,
    tag: String,
    queue: Arc<str>,
    payload: Vec<u8>,
    asked: Instant,
) -> Delivery {
    let message = Received::in_envelope(payload, &shared.params.limits);
    let (redelivered, deaths) = past(&message);
    Delivery {
        tag: Tag(tag.into()),
        queue,
        message,
        redelivered,
        deaths,
        asked,
    }
}

/// Whether somebody held the message before, and how many have died with it. Nothing is read of a message that was never given back;
/// whoever counts a death marks it as given back too.
fn past(message: &Received) -> (bool, u32) {
    if !message.may_have(REDELIVERED) {
        return (false, 0);
    }
    let message = message.as_ref().ok();
    let Some(info) = message.and_then(|message| message.properties.delivery_info.as_ref()) else {
        return (false, 0);
    };
    let deaths = info
        .extra
        .get(envelope::DEATHS)
        .and_then(|deaths| deaths.as_i64())
        .unwrap_or(0);
    (
        info.redelivered.unwrap_or(false),
        u32::try_from(deaths).unwrap_or(u32::MAX),
    )
}

async fn wait(shared: &Shared, odd: &[usize]) -> Result<()> {
    let (plan, _) = shared.plan();
    // A key that is no list exists for ever and would keep the wait from waiting; the next look finds it mended.
    let watched: Vec<&str> = lists(shared, &plan)
        .enumerate()
        .filter(|(at, _)| !odd.contains(at))
        .map(|(_, list)| list)
        .collect();
    if watched.len() < plan.len() * shared.keys.steps().len() {
        tracing::warn!(keys = ?odd.len(), "a queue's key in Redis is no list; it is left alone");
    }
    tokio::select! {
        waited = shared.wake.wait(&shared.hot, &watched) => waited,
        () = shared.stop.cancelled() => Err(closed()),
    }
}
