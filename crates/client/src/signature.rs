//! From a signature's stored options to a call's options, as `apply_async` reads them. Null counts as absent, unknown options are ignored.

use std::time::Duration;

use jiff::Timestamp;
use protocol::{
    Codec, Compression, DecodeError, DecodeErrorKind, Embed, Map, Signature, Value, from_value,
};
use serde::de::DeserializeOwned;

use crate::{CallOptions, Expires, TaskCall};

/// Reads a plain signature as a call.
pub(crate) fn call_of(signature: Signature) -> Result<TaskCall, DecodeError> {
    let Signature {
        task,
        args,
        kwargs,
        options,
        ..
    } = signature;
    let mut options = options;
    let options = call_options(&mut options).map_err(|error| error.at("options").at(&task))?;
    Ok(TaskCall {
        task,
        args,
        kwargs,
        options,
    })
}

fn call_options(map: &mut Map) -> Result<CallOptions, DecodeError> {
    Ok(CallOptions {
        task_id: take(map, "task_id")?,
        countdown: seconds(map, "countdown")?,
        eta: time(map, "eta")?,
        expires: expires(map)?,
        priority: take(map, "priority")?,
        queue: take(map, "queue")?,
        exchange: take(map, "exchange")?,
        exchange_type: None,
        routing_key: take(map, "routing_key")?,
        headers: take_map(map, "headers")?,
        retry_policy: None,
        ignore_result: take(map, "ignore_result")?,
        embed: embed(map)?,
        time_limit: take(map, "time_limit")?,
        soft_time_limit: take(map, "soft_time_limit")?,
        serializer: name(map, "serializer")?
            .as_deref()
            .map(Codec::from_name_or_content_type)
            .transpose()?,
        compression: name(map, "compression")?
            .as_deref()
            .map(Compression::from_name)
            .transpose()?,
        shadow: take(map, "shadow")?,
        group_id: take(map, "group_id")?,
        group_index: take(map, "group_index")?,
        root_id: take(map, "root_id")?,
        parent_id: take(map, "parent_id")?,
        reply_to: take(map, "reply_to")?,
        retries: take(map, "retries")?.unwrap_or(0),
        stamps: stamps(map)?,
        replaced_task_nesting: take(map, "replaced_task_nesting")?.unwrap_or(0),
        route_name: take(map, "route_name")?,
    })
}

fn take<T: DeserializeOwned>(map: &mut Map, key: &str) -> Result<Option<T>, DecodeError> {
    let value = map.remove(key).unwrap_or_default();
    from_value::<Option<T>>(value).map_err(|error| error.at(key))
}

fn name(map: &mut Map, key: &str) -> Result<Option<String>, DecodeError> {
    Ok(take::<String>(map, key)?.filter(|name| !name.is_empty()))
}

fn take_map(map: &mut Map, key: &str) -> Result<Map, DecodeError> {
    match map.remove(key).unwrap_or_default() {
        Value::Null => Ok(Map::new()),
        Value::Map(inner) => Ok(inner),
        other => Err(wrong(key, "a map", &other)),
    }
}

fn seconds(map: &mut Map, key: &str) -> Result<Option<Duration>, DecodeError> {
    match take::<f64>(map, key)? {
        None => Ok(None),
        Some(seconds) => Duration::try_from_secs_f64(seconds.max(0.0))
            .map(Some)
            .map_err(|_| {
                DecodeError::new(DecodeErrorKind::Value, "not a number of seconds").at(key)
            }),
    }
}

fn time(map: &mut Map, key: &str) -> Result<Option<Timestamp>, DecodeError> {
    match map.remove(key).unwrap_or_default() {
        Value::Null => Ok(None),
        value => timestamp(key, value).map(Some),
    }
}

fn expires(map: &mut Map) -> Result<Option<Expires>, DecodeError> {
    if map.get("expires").and_then(Value::as_f64).is_some() {
        return Ok(seconds(map, "expires")?.map(Expires::After));
    }
    Ok(time(map, "expires")?.map(Expires::At))
}

fn timestamp(key: &str, value: Value) -> Result<Timestamp, DecodeError> {
    let parsed = match value {
        Value::DateTime(at) => at.timestamp(),
        Value::Str(text) => protocol::DateTime::parse(text)
            .map_err(|error| error.at(key))?
            .timestamp(),
        other => return Err(wrong(key, "an ISO 8601 time", &other)),
    };
    parsed.ok_or_else(|| {
        DecodeError::new(
            DecodeErrorKind::Value,
            "the time lies outside the supported years",
        )
        .at(key)
    })
}

fn embed(map: &mut Map) -> Result<Embed, DecodeError> {
    let names = [
        ("link", "callbacks"),
        ("link_error", "errbacks"),
        ("chain", "chain"),
        ("chord", "chord"),
    ];
    let fields: Map = names
        .into_iter()
        .map(|(option, field)| (field, map.remove(option).unwrap_or_default()))
        .collect();
    Embed::from_value(Value::Map(fields))
}

fn stamps(map: &mut Map) -> Result<Map, DecodeError> {
    let names: Vec<String> = take(map, "stamped_headers")?.unwrap_or_default();
    Ok(names
        .into_iter()
        .filter_map(|name| map.remove(&name).map(|value| (name, value)))
        .collect())
}

fn wrong(key: &str, expected: &str, found: &Value) -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::Type,
        format!("expected {expected}, found {}", found.type_name()),
    )
    .at(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_options_become_the_calls() {
        let signature = Signature::new("app.add")
            .args(vec![Value::Int(1)])
            .option("task_id", "t1")
            .option("countdown", 2.5)
            .option("expires", 60_i64)
            .option("queue", "fast")
            .option("shadow", Value::Null)
            .option("link", Signature::new("app.done"))
            .option("stamped_headers", vec!["team"])
            .option("team", "a")
            .option("add_to_parent", true);
        let call = call_of(signature).expect("sound options");
        assert_eq!(call.options.task_id.as_deref(), Some("t1"));
        assert_eq!(call.options.countdown, Some(Duration::from_millis(2_500)));
        assert_eq!(
            call.options.expires,
            Some(Expires::After(Duration::from_secs(60)))
        );
        assert_eq!(call.options.shadow, None);
        assert_eq!(
            call.options
                .embed
                .callbacks
                .map(|links| links[0].task.clone())
                .as_deref(),
            Some("app.done")
        );
        assert_eq!(
            call.options.stamps.get("team").and_then(Value::as_str),
            Some("a")
        );
    }

    #[test]
    fn a_wrong_option_is_named() {
        let error = call_of(Signature::new("app.add").option("priority", "high"))
            .expect_err("not a number");
        assert!(
            error.to_string().starts_with("app.add.options.priority: "),
            "{error}"
        );
    }
}
