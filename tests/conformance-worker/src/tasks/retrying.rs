//! Tasks that ask to run again.

#![expect(
    clippy::disallowed_names,
    reason = "the parameters' names are Celery's"
)]

use std::time::Duration;

use protocol::{Map, Value};
use serde::{Deserialize, Serialize};
use worker::{Context, Failure, Outcome, Retry, RetryPolicy, Task, TaskOptions};

use super::failing::{expected, unpickleable};
use super::plain::keyword;
use crate::python;
use crate::task::task;

task! {
    /// Retries after five seconds until none is left; the fourth run gives `return_value` when there is one.
    [options(RetryPolicy { default_retry_delay: 1, ..RetryPolicy::default() })]
    fn retry(ctx, #[serde(default)] return_value: Value) -> Value {
        if python::is_true(&return_value) && ctx.retries() >= 3 {
            return Ok(return_value);
        }
        let again = ctx.retry().failure(expected(Vec::new()));
        Err(again.countdown(Duration::from_secs(5)).into())
    }
}

task! {
    /// Retries with these options because of an exception that Python cannot build from its arguments.
    [options(RetryPolicy { default_retry_delay: 1, ..RetryPolicy::default() })]
    fn retry_unpickleable(ctx, foo: Value, bar: Value, retry_kwargs: Map) -> () {
        let again = ctx.retry().failure(unpickleable(foo, &bar));
        Err(with_options(again, &retry_kwargs)?.into())
    }
}

task! {
    /// Retries once and gives the number of retries.
    [TaskOptions { expires: Some(120.0), ..once() }]
    fn retry_once(ctx, *arguments) -> u32 { again_soon(ctx, &arguments.kwargs)?; Ok(ctx.retries()) }
}

task! {
    /// Retries once and gives the priority of the second message.
    [once()]
    fn retry_once_priority(ctx, *arguments) -> Option<i64> {
        again_soon(ctx, &arguments.kwargs)?;
        Ok(ctx.request().priority)
    }
}

task! {
    /// Retries once and gives the headers of the second message.
    [once()]
    fn retry_once_headers(ctx, *arguments) -> Map {
        again_soon(ctx, &arguments.kwargs)?;
        Ok(ctx.headers().clone())
    }
}

task! {
    /// Retries once and gives the number of retries, which is not stored unless the message asks for it.
    [TaskOptions { ignore_result: Some(true), ..TaskOptions::default() }]
    fn retry_once_ignore_result(ctx) -> u32 { again_at_once(ctx) }
}

task! {
    /// Retries once and gives the number of retries, which is stored unless the message asks for none.
    [TaskOptions { ignore_result: Some(false), ..TaskOptions::default() }]
    fn retry_once_with_result(ctx) -> u32 { again_at_once(ctx) }
}

task! {
    /// Retries with positional arguments where there were keywords; keywords that these do not replace stay.
    [once()]
    fn retry_with_args_after_kwargs(ctx, foo: i64, bar: i64, #[serde(default)] label: Value) -> Map {
        if ctx.retries() == 0 {
            let args = vec![Value::Int(foo + 1), Value::Int(bar + 1)];
            return Err(ctx.retry().arguments(args, Map::from_iter([("label", label)])).countdown(Duration::ZERO).into());
        }
        let mut seen = seen(ctx, foo, bar);
        seen.insert("label", label);
        Ok(seen)
    }
}

task! {
    /// Retries with a keyword where there was a positional argument; the other one stays.
    [once()]
    fn retry_with_kwargs_after_args(ctx, foo: i64, bar: i64) -> Map {
        if ctx.retries() == 0 {
            let args = vec![Value::Int(foo + 1), Value::Int(bar)];
            return Err(ctx.retry().arguments(args, Map::new()).countdown(Duration::ZERO).into());
        }
        Ok(seen(ctx, foo, bar))
    }
}

/// Fails in its first run, and is run again by its options.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AutoRetry {}

impl Task for AutoRetry {
    const NAME: &'static str = "auto_retry_class_task";
    type Output = u32;

    fn options() -> TaskOptions {
        TaskOptions {
            autoretry_for: vec!["ValueError".to_owned()],
            ..options(RetryPolicy {
                max_retries: Some(1),
                retry_backoff: Some(1),
                ..RetryPolicy::default()
            })
        }
    }

    async fn run(self, ctx: &Context) -> Result<u32, Outcome> {
        match ctx.retries() {
            0 => Err(Outcome::Fail(Box::new(Failure::builtin(
                "ValueError",
                Vec::new(),
            )))),
            retries => Ok(retries),
        }
    }
}

fn options(retry: RetryPolicy) -> TaskOptions {
    TaskOptions {
        retry,
        ..TaskOptions::default()
    }
}

fn once() -> TaskOptions {
    options(RetryPolicy {
        max_retries: Some(1),
        ..RetryPolicy::default()
    })
}

/// Ends the first run with a retry by the keywords `countdown` and `max_retries`.
fn again_soon(ctx: &Context, kwargs: &Map) -> Result<(), Outcome> {
    if ctx.retries() > 0 {
        return Ok(());
    }
    let again = ctx
        .retry()
        .max_retries(Some(1))
        .countdown(Duration::from_millis(100));
    Err(with_options(again, kwargs)?.into())
}

fn again_at_once(ctx: &Context) -> Result<u32, Outcome> {
    match ctx.retries() {
        0 => Err(ctx.retry().countdown(Duration::ZERO).into()),
        retries => Ok(retries),
    }
}

fn with_options(mut again: Retry, options: &Map) -> Result<Retry, Outcome> {
    if let Some(seconds) = keyword::<Option<f64>>(options, "countdown", None)? {
        again = again.countdown(Duration::try_from_secs_f64(seconds)?);
    }
    if let Some(max) = keyword::<Option<u32>>(options, "max_retries", None)? {
        again = again.max_retries(Some(max));
    }
    Ok(again)
}

fn seen(ctx: &Context, foo: i64, bar: i64) -> Map {
    let mut seen = Map::from_iter([
        ("foo", foo),
        ("bar", bar),
        ("retries", ctx.retries().into()),
    ]);
    seen.insert("is_eager", false);
    seen
}
