//! Tasks that only look at their arguments.

use std::time::Duration;

use protocol::{Map, Value, from_value};
use serde::{Deserialize, Serialize};
use worker::{Outcome, TaskOptions};

use crate::python;
use crate::task::task;

task! {
    /// Gives its argument back.
    fn identity(_, x: Value) -> Value { Ok(x) }
}

task! {
    /// Adds two or three values.
    fn add(_, x: Value, y: Value, #[serde(default)] z: Value) -> Value {
        let sum = python::add(x, y)?;
        if python::is_true(&z) { python::add(sum, z) } else { Ok(sum) }
    }
}

task! {
    /// Adds two values; clients do not check the arguments.
    fn add_not_typed(_, x: Value, y: Value) -> Value { python::add(x, y) }
}

task! {
    /// Adds two values and stores no result, unless the message asks for it.
    [TaskOptions { ignore_result: Some(true), ..TaskOptions::default() }]
    fn add_ignore_result(_, x: Value, y: Value) -> Value { python::add(x, y) }
}

task! {
    /// Adds two values and stores the result, unless the message asks for none.
    [TaskOptions { ignore_result: Some(false), ..TaskOptions::default() }]
    fn add_with_result(_, x: Value, y: Value) -> Value { python::add(x, y) }
}

task! {
    /// Multiplies two numbers.
    fn mul(_, x: i64, y: i64) -> i64 { python::multiply(x, y) }
}

task! {
    /// Sums up a list.
    fn tsum(_, nums: Value) -> Value { python::sum(nums) }
}

task! {
    /// Sums up a list of numbers and of lists of numbers.
    fn xsum(_, nums: Value) -> Value {
        let sums: Result<Vec<Value>, Outcome> = python::iterate(nums)?
            .into_iter()
            .map(|item| if item.as_list().is_some() { python::sum(item) } else { Ok(item) })
            .collect();
        python::sum(Value::List(sums?))
    }
}

task! {
    /// Sums up a list after a pause.
    fn delayed_sum(_, numbers: Value, #[serde(default = "one")] pause_time: f64) -> Value {
        pause(pause_time).await;
        python::sum(numbers)
    }
}

task! {
    /// As `delayed_sum`, but gives 0 when the soft time limit ends the pause.
    fn delayed_sum_with_soft_guard(ctx, numbers: Value, #[serde(default = "one")] pause_time: f64) -> Value {
        tokio::select! {
            () = ctx.cancelled() => Ok(Value::Int(0)),
            () = pause(pause_time) => python::sum(numbers),
        }
    }
}

task! {
    /// Sleeps; takes any keywords.
    fn sleeping(_, *arguments) -> () {
        let seconds = arguments.args.first().or(arguments.kwargs.get("i"));
        let seconds = seconds.and_then(Value::as_f64).ok_or_else(|| {
            Outcome::fail("TypeError", "sleeping() missing 1 required positional argument: 'i'")
        })?;
        pause(seconds).await;
        Ok(())
    }
}

task! {
    /// Gives its argument back with a sign that it ran.
    fn return_exception(_, e: Value) -> (Value, bool) { Ok((e, true)) }
}

task! {
    /// What `replace_with_stamped_task` goes on as.
    fn replaced_with_me(_) -> bool { Ok(true) }
}

/// Two numbers in one argument.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AddParameter {
    x: i64,
    y: i64,
}

/// Their sum.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AddResult {
    result: i64,
}

impl AddParameter {
    fn add(&self) -> AddResult {
        AddResult {
            result: self.x + self.y,
        }
    }
}

task! {
    /// Adds the fields of its argument.
    fn add_pydantic(_, data: AddParameter) -> AddResult { Ok(data.add()) }
}

task! {
    /// As `add_pydantic`.
    fn add_pydantic_string_annotations(_, data: AddParameter) -> AddResult { Ok(data.add()) }
}

fn one() -> f64 {
    1.0
}

async fn pause(seconds: f64) {
    tokio::time::sleep(Duration::try_from_secs_f64(seconds).unwrap_or_default()).await;
}

/// The keyword argument `name`, or `default` when it is not given.
pub(crate) fn keyword<T: serde::de::DeserializeOwned>(
    kwargs: &Map,
    name: &str,
    default: T,
) -> Result<T, Outcome> {
    match kwargs.get(name) {
        None => Ok(default),
        Some(value) => Ok(from_value(value.clone())?),
    }
}
