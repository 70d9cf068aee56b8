//! `broker_transport_options`, as far as they concern the server's side.

use std::time::Duration;

use broker::{QueueOrder, Result};
use serde_json::{Map, Value};

use super::RedisOptions;
use crate::error::invalid;

pub(super) fn apply(options: &mut RedisOptions, given: &Map<String, Value>) -> Result<()> {
    for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
        apply_one(options, name, value)?;
    }
    Ok(())
}

fn apply_one(options: &mut RedisOptions, name: &str, value: &Value) -> Result<()> {
    match name {
        "visibility_timeout" => options.visibility_timeout = Some(seconds(name, value)?),
        "socket_timeout" => options.response_timeout = seconds(name, value)?,
        "socket_connect_timeout" => options.connect_timeout = seconds(name, value)?,
        "global_keyprefix" => options.global_keyprefix = text(name, value)?.to_owned(),
        "sep" => options.separator = separator(value)?,
        "priority_steps" => options.priority_steps = steps(value)?,
        "queue_order_strategy" => options.queue_order = Some(order(value)?),
        "fanout_patterns" => options.fanout_patterns = truth(name, value)?,
        "fanout_prefix" => options.fanout_prefix = fanout_prefix(options.db, value)?,
        "unacked_key" | "unacked_index_key" | "unacked_mutex_key" | "ack_emulation" => {
            return Err(invalid(format!(
                "transport option {name} cannot be changed here"
            )));
        }
        _ => tracing::debug!(name, "a transport option has no meaning here"),
    }
    Ok(())
}

fn wrong(name: &str, expected: &str, value: &Value) -> broker::BrokerError {
    invalid(format!(
        "transport option {name} must be {expected}, not {value}"
    ))
}

fn seconds(name: &str, value: &Value) -> Result<Duration> {
    let seconds = value.as_f64().filter(|seconds| *seconds > 0.0);
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| wrong(name, "a number of seconds above zero", value))
}

fn text<'a>(name: &str, value: &'a Value) -> Result<&'a str> {
    value.as_str().ok_or_else(|| wrong(name, "a text", value))
}

fn truth(name: &str, value: &Value) -> Result<bool> {
    value
        .as_bool()
        .ok_or_else(|| wrong(name, "true or false", value))
}

fn separator(value: &Value) -> Result<String> {
    let separator = text("sep", value)?;
    if separator.is_empty() {
        return Err(wrong("sep", "a text that is not empty", value));
    }
    Ok(separator.to_owned())
}

fn steps(value: &Value) -> Result<Vec<u8>> {
    let numbers = value.as_array().into_iter().flatten();
    let steps: Option<Vec<u8>> = numbers
        .map(|step| step.as_u64().and_then(|step| u8::try_from(step).ok()))
        .collect();
    let mut steps = steps
        .filter(|steps| !steps.is_empty())
        .ok_or_else(|| wrong("priority_steps", "a list of numbers", value))?;
    steps.sort_unstable();
    steps.dedup();
    Ok(steps)
}

fn order(value: &Value) -> Result<QueueOrder> {
    match text("queue_order_strategy", value)? {
        "round_robin" => Ok(QueueOrder::RoundRobin),
        "priority" => Ok(QueueOrder::Strict),
        "sorted" => Ok(QueueOrder::Sorted),
        _ => Err(wrong(
            "queue_order_strategy",
            "round_robin, priority or sorted",
            value,
        )),
    }
}

fn fanout_prefix(db: u32, value: &Value) -> Result<String> {
    match value {
        Value::Bool(true) => Ok(protocol::redis::fanout_prefix(i64::from(db))),
        Value::Bool(false) => Ok(String::new()),
        Value::String(prefix) => Ok(prefix.replace("{db}", &db.to_string())),
        _ => Err(wrong("fanout_prefix", "true, false or a text", value)),
    }
}
