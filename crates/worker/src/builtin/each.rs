//! `celery.map` and `celery.starmap`: run a task in place for each item, one after the other.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use protocol::{Map, Value};

use super::signature;
use crate::bind::by_name;
use crate::registry::RegisteredTask;
use crate::{Arguments, Context, Failure, Outcome};

pub(super) const MAP: &str = "celery.map";
pub(super) const STARMAP: &str = "celery.starmap";

pub(super) fn map(
    arguments: Arguments,
    ctx: Arc<Context>,
) -> BoxFuture<'static, Result<Value, Outcome>> {
    Box::pin(async move {
        let (task, items) = bound("xmap", arguments, &ctx)?;
        each(&task, items.into_iter().map(|item| vec![item]), &ctx).await
    })
}

pub(super) fn starmap(
    arguments: Arguments,
    ctx: Arc<Context>,
) -> BoxFuture<'static, Result<Value, Outcome>> {
    Box::pin(async move {
        let (task, items) = bound("xstarmap", arguments, &ctx)?;
        let spread = items.into_iter().map(|item| match item {
            Value::List(args) => Ok(args),
            other => {
                let text = format!(
                    "argument after * must be an iterable, not {}",
                    other.type_name()
                );
                Err(Outcome::fail("TypeError", text))
            }
        });
        each(
            &task,
            spread.collect::<Result<Vec<_>, _>>()?.into_iter(),
            &ctx,
        )
        .await
    })
}

fn bound(
    function: &str,
    arguments: Arguments,
    ctx: &Context,
) -> Result<(Arc<RegisteredTask>, Vec<Value>), Outcome> {
    let mut bound = by_name(function, &["task", "it"], &[], arguments)?;
    let task = signature(bound.remove("task").unwrap_or_default())?.task;
    let registered = ctx.registered(&task).cloned();
    let registered = registered.ok_or_else(|| {
        let failure = Failure::celery("NotRegistered", vec![task.into()]);
        Outcome::Fail(Box::new(failure))
    })?;
    match bound.remove("it") {
        Some(Value::List(items)) => Ok((registered, items)),
        other => {
            let found = other.unwrap_or_default().type_name();
            let text = format!("{function}() argument it: expected a list, found {found}");
            Err(Outcome::fail("TypeError", text))
        }
    }
}

async fn each(
    task: &RegisteredTask,
    calls: impl Iterator<Item = Vec<Value>>,
    ctx: &Arc<Context>,
) -> Result<Value, Outcome> {
    let mut results = Vec::with_capacity(calls.size_hint().0);
    for args in calls {
        let arguments = Arguments {
            args,
            kwargs: Map::new(),
        };
        let result = task.run(arguments, Arc::clone(ctx)).await;
        results.push(result.map_err(in_place)?);
    }
    Ok(Value::List(results))
}

/// A task that was not sent as a message cannot be sent again.
fn in_place(outcome: Outcome) -> Outcome {
    let failure = match outcome {
        Outcome::Retry(retry) => retry.cause.unwrap_or_else(|| {
            Failure::celery("Retry", vec!["Task can be retried".into(), Value::Null])
        }),
        Outcome::Replace(_) => Failure::builtin(
            "NotImplementedError",
            vec!["a task that runs within celery.map or celery.starmap cannot be replaced".into()],
        ),
        other => return other,
    };
    Outcome::Fail(Box::new(failure))
}
