//! Revoking by stamps.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{Map, Value, python_repr};
use tracing::info;

use super::revoke::{end, signal};
use super::signature::type_error;
use super::{Answer, Panel, is_on, ok};
use crate::Failure;
use crate::activity::Held;
use crate::revocations::values_of;

pub(super) async fn revoke_by_stamped_headers(panel: &Panel, arguments: &Map) -> Answer {
    let engine = &panel.engine;
    let signal = signal(arguments)?;
    let headers = headers(arguments)?;
    engine.revocations.add_stamps(&headers);
    engine.client.remember_revoked_stamps(&headers).await;
    let shown = python_repr(&Value::Map(headers.clone()));
    info!(headers = shown, "stamps flagged as revoked");
    if !is_on(arguments, "terminate") {
        let text = format!("headers {shown} flagged as revoked, but not terminated");
        return Ok(ok(text));
    }
    let mut ended: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for held in engine
        .activity
        .held()
        .iter()
        .filter(|held| held.is_active())
    {
        for (header, matching) in matches(held, &headers) {
            end(held, &signal);
            ended.entry(header).or_default().extend(matching);
        }
    }
    if ended.is_empty() {
        return Ok(ok(format!("headers {shown} were not terminated")));
    }
    Ok(ok(format!("headers {} revoked", default_dict(&ended))))
}

/// A map of headers to values, or a list of `header=value`.
fn headers(arguments: &Map) -> Result<Map, Failure> {
    match arguments.get("headers") {
        Some(Value::Map(headers)) => Ok(headers.clone()),
        Some(Value::List(pairs)) => pairs
            .iter()
            .map(|pair| {
                let (header, value) = pair.as_str()?.split_once('=')?;
                Some((header, value))
            })
            .collect::<Option<Map>>()
            .ok_or_else(|| Failure::builtin("IndexError", vec!["list index out of range".into()])),
        _ => Err(type_error(
            "headers must be a map, or a list of header=value",
        )),
    }
}

/// The headers under which this task has stamps that are to be revoked, with those stamps as Python prints them.
fn matches<'a>(held: &Held, headers: &'a Map) -> Vec<(&'a str, Vec<String>)> {
    let matching = |(header, revoked): (&'a str, &Value)| {
        let stamps = held.request.stamps.get(header)?;
        let common: Vec<String> = values_of(stamps)
            .filter(|stamp| values_of(revoked).any(|value| value == *stamp))
            .map(python_repr)
            .collect();
        (!common.is_empty()).then_some((header, common))
    };
    headers.iter().filter_map(matching).collect()
}

/// As Python prints the `defaultdict` of sets that Celery answers with.
fn default_dict(ended: &BTreeMap<&str, BTreeSet<String>>) -> String {
    let entries: Vec<String> = ended
        .iter()
        .map(|(header, stamps)| {
            let stamps: Vec<&str> = stamps.iter().map(String::as_str).collect();
            format!(
                "{}: {{{}}}",
                python_repr(&(*header).into()),
                stamps.join(", ")
            )
        })
        .collect();
    format!("defaultdict(<class 'set'>, {{{}}})", entries.join(", "))
}
