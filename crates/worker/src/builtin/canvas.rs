//! `celery.group`, `celery.chord`, `celery.chunks`: canvas that somebody has sent as a task. Current senders expand it themselves.
//! What it stands for is sent in the step that settles the task.

use std::sync::Arc;

use client::canvas::{Applied, apply, group_of};
use futures_util::future::BoxFuture;
use protocol::{Canvas, Map, Signature, Value};

use super::signature;
use crate::bind::by_name;
use crate::{Arguments, Context, Outcome};

type Running = BoxFuture<'static, Result<Value, Outcome>>;

pub(super) fn chain(_: Arguments, _: Arc<Context>) -> Running {
    let text = "chain is not a real task";
    Box::pin(async move { Err(Outcome::fail("NotImplementedError", text)) })
}

pub(super) fn group(arguments: Arguments, ctx: Arc<Context>) -> Running {
    Box::pin(async move {
        let required = ["tasks", "result", "group_id", "partial_args"];
        let mut bound = by_name("group", &required, &["add_to_parent"], arguments)?;
        let tasks = signatures(bound.remove("tasks"))?;
        let args = list(bound.remove("partial_args"));
        let group_id = bound.remove("group_id").unwrap_or_default();
        let group_id = group_id.as_str().unwrap_or_default();
        let applied = group_of(tasks, &args, group_id, &ctx.lineage())?;
        ctx.follow_with(applied)?;
        Ok(bound.remove("result").unwrap_or_default())
    })
}

pub(super) fn chord(arguments: Arguments, ctx: Arc<Context>) -> Running {
    Box::pin(async move {
        let optional = [
            "partial_args",
            "interval",
            "countdown",
            "max_retries",
            "eager",
        ];
        let mut bound = by_name("chord", &["header", "body"], &optional, arguments)?;
        let header = match bound.remove("header") {
            Some(group @ Value::Map(_)) => match signature(group)?.canvas()? {
                Canvas::Group(tasks) => tasks,
                _ => return Err(Outcome::fail("TypeError", "a chord's header is a group")),
            },
            list => signatures(list)?,
        };
        let chord = Canvas::Chord {
            header,
            body: Box::new(signature(bound.remove("body").unwrap_or_default())?),
            kwargs: Map::new(),
        };
        start(chord, &list(bound.remove("partial_args")), &ctx)
    })
}

pub(super) fn chunks(arguments: Arguments, ctx: Arc<Context>) -> Running {
    Box::pin(async move {
        let bound = by_name("chunks", &["task", "it", "n"], &[], arguments)?;
        let chunks = Signature {
            kwargs: bound,
            subtask_type: Some("chunks".to_owned()),
            ..Signature::new("celery.chunks")
        };
        start(chunks.canvas()?, &[], &ctx)
    })
}

/// The result is the handle on what was started.
fn start(canvas: Canvas, args: &[Value], ctx: &Context) -> Result<Value, Outcome> {
    let signature = canvas.into_signature().ok_or_else(|| {
        Outcome::fail(
            "TypeError",
            "this signature stands for no group, chord or chunks",
        )
    })?;
    let applied: Applied = apply(signature, args, Vec::new(), &ctx.lineage())?;
    let handle = Value::from(&applied.handle());
    ctx.follow_with(applied)?;
    Ok(handle)
}

fn signatures(tasks: Option<Value>) -> Result<Vec<Signature>, Outcome> {
    list(tasks).into_iter().map(signature).collect()
}

fn list(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::List(items)) => items,
        _ => Vec::new(),
    }
}
