//! What workers answered, for people as Celery lays it out, for programs as Celery's `--json`.

use client::reply_error;
use protocol::control::Reply;
use protocol::{Map, Value};

use super::table::Kind;
use crate::output;

/// Prints `inspect`'s answers as one object by node, `control`'s as a list of objects, as Celery does.
pub(super) fn print_json(kind: Kind, answers: &[Reply]) {
    let one = |reply: &Reply| (reply.node.clone(), reply.value.clone());
    match kind {
        Kind::Inspect => output::json(&Map::from_iter(answers.iter().map(one))),
        Kind::Control => {
            let each = answers.iter().map(|reply| Map::from_iter([one(reply)]));
            output::json(&each.collect::<Vec<_>>());
        }
    }
}

/// Prints each node with its answer below, and how many answered.
pub(super) fn print(kind: Kind, answers: &[Reply], quiet: bool) {
    for reply in answers {
        let (status, body) = outcome(&reply.value);
        let arrow = if quiet { "" } else { "->  " };
        output::line(&format!("{arrow}{}: {status}", reply.node));
        show(body);
    }
    if kind == Kind::Inspect && !quiet {
        print_count(answers.len());
    }
}

/// Prints who is there.
pub(crate) fn show_status(answers: &[Reply], quiet: bool) {
    for reply in answers {
        let (status, _) = outcome(&reply.value);
        output::line(&format!("{}: {status}", reply.node));
    }
    if !quiet {
        print_count(answers.len());
    }
}

fn print_count(count: usize) {
    let nodes = if count == 1 { "node" } else { "nodes" };
    output::line(&format!("\n{count} {nodes} online."));
}

/// `OK` or `ERROR`, and what is to be shown: the wrapper of an `ok` or `error` taken off.
fn outcome(value: &Value) -> (&'static str, &Value) {
    if reply_error(value).is_some() {
        return ("ERROR", value.get("error").unwrap_or(value));
    }
    ("OK", value.get("ok").unwrap_or(value))
}

fn show(answer: &Value) {
    match answer {
        Value::List(items) if items.is_empty() => output::line("    - empty -"),
        Value::List(items) => items.iter().for_each(show_item),
        Value::Map(map) if map.is_empty() => output::line("    - empty -"),
        Value::Map(map) => show_fields(map.iter(), 4),
        Value::Null => {}
        Value::Str(text) => text
            .lines()
            .for_each(|line| output::line(&format!("    {line}"))),
        other => output::line(&format!("    {}", output::text(other))),
    }
}

/// Fields one below the other; those of a map within stand below its name, further in.
fn show_fields<'a>(fields: impl Iterator<Item = (&'a str, &'a Value)>, indent: usize) {
    for (key, value) in fields {
        match value {
            Value::Map(map) if !map.is_empty() => {
                output::line(&format!("{:indent$}{key}", ""));
                show_fields(map.iter(), indent + 2);
            }
            other => {
                output::line(format!("{:indent$}{key:<14} {}", "", output::text(other)).trim_end())
            }
        }
    }
}

/// A record by its fields that say something; anything else on a line.
fn show_item(item: &Value) {
    let Some(record) = item.as_map() else {
        return output::line(&format!("    * {}", output::text(item)));
    };
    output::line("");
    show_fields(record.iter().filter(|(_, value)| !is_empty(value)), 4);
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Str(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}
