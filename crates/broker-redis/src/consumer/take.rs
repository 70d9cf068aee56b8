//! What a request for messages says, and what its answer means.

use std::sync::Arc;
use std::time::Instant;

use broker::{Delivery, Received, Result, Tag};
use redis::Value;

use super::queues::Queue;
use super::requests::{Answered, Asking};
use super::shared::{Shared, decode};
use super::tag;
use crate::envelope;
use crate::script;

/// The field in which kombu says that a message was given back.
const REDELIVERED: &str = "redelivered";

pub(super) fn command(shared: &Shared, asking: &Asking) -> redis::Cmd {
    let Asking {
        plan, max, first, ..
    } = asking;
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
        .arg(&*asking.incarnation)
        .arg(*max)
        .arg(*first)
        .arg(if asking.fair { "fair" } else { "strict" })
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
pub(super) fn lists<'a>(shared: &Shared, plan: &'a [Arc<Queue>]) -> impl Iterator<Item = &'a str> {
    let steps = shared.keys.steps().len();
    (0..steps).flat_map(move |step| plan.iter().map(move |queue| queue.lists[step].as_str()))
}

/// Notes what the script took.
pub(super) fn keep(shared: &Shared, asking: &Asking, answer: Value) -> Result<Answered> {
    let (lots, odd): (Vec<Value>, Vec<usize>) = decode(&shared.hot, "reserve messages", answer)?;
    if *shared.lease.current() != *asking.incarnation {
        // The lease was lost meanwhile; what was taken is given to others by the sweep.
        return Ok(Answered::Nothing(odd));
    }
    let mut kept = Vec::new();
    let mut numbers = asking.first..;
    let mut last = None;
    let mut lots = lots.into_iter();
    while let (Some(position), Some(payloads)) = (lots.next(), lots.next()) {
        let position: usize = decode(&shared.hot, "reserve", position)?;
        let payloads: Vec<Value> = decode(&shared.hot, "reserve", payloads)?;
        let queue = &asking.plan[position % asking.plan.len()];
        let step = shared.keys.steps()[position / asking.plan.len()];
        for payload in payloads {
            let payload: Vec<u8> = decode(&shared.hot, "reserve", payload)?;
            let number = numbers.next().expect("there is always one number more");
            let tag = tag::write(&asking.incarnation, tag::is_poison(&payload), step, number);
            let name = Arc::clone(&queue.name);
            kept.push(delivery(shared, tag, name, payload, asking.asked));
        }
        last = Some(queue);
    }
    shared.holds.add(kept);
    let Some(last) = last else {
        return Ok(Answered::Nothing(odd));
    };
    let queues = &shared.queues;
    let mut queues = queues.lock().expect("no holder of this lock panics");
    queues.delivered(&last.name);
    Ok(Answered::Ask)
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
