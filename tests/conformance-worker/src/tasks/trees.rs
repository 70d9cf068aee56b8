//! The tasks of the random canvas trees; `tests/python/canvas_trees/tasks.py` has the same in Python.

use std::time::Duration;

use protocol::{Value, from_value};
use serde::{Deserialize, Serialize};
use worker::{Arguments, Context, Failure, Outcome, RetryPolicy, Task, TaskOptions};

use crate::canvas::{read, replace};
use crate::store::Store;

const MODULUS: i64 = 1_000_003;

/// One small number for any result, in which every part and the order count.
fn fold(value: &Value) -> i64 {
    match value {
        Value::Int(number) => number.rem_euclid(MODULUS),
        Value::Null => 7,
        Value::List(items) => items
            .iter()
            .fold(1, |number, item| (number * 31 + fold(item)) % MODULUS),
        other => unreachable!(
            "a tree's results are numbers and lists, not {}",
            other.type_name()
        ),
    }
}

/// Does what its plan says; takes the results of the tasks before it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Leaf {
    results: Vec<Value>,
    weight: i64,
    plan: Plan,
    /// Seconds.
    pause: f64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
enum Plan {
    Return,
    Revoke,
    Expire,
    Fail,
    Retry { times: u32 },
    Replace { with: Value },
}

impl Task for Leaf {
    const NAME: &'static str = "trees.leaf";
    type Output = i64;

    fn options() -> TaskOptions {
        let retry = RetryPolicy {
            max_retries: Some(2),
            ..RetryPolicy::default()
        };
        TaskOptions {
            retry,
            ..TaskOptions::default()
        }
    }

    fn bind(_: &Context, arguments: Arguments) -> Result<Self, Outcome> {
        let mut fields = arguments.kwargs;
        fields.insert("results", Value::List(arguments.args));
        from_value(Value::Map(fields))
            .map_err(|error| Outcome::fail("TypeError", error.to_string()))
    }

    async fn run(self, ctx: &Context) -> Result<i64, Outcome> {
        record(ctx).await?;
        tokio::time::sleep(Duration::try_from_secs_f64(self.pause)?).await;
        let weight = self.weight;
        match self.plan {
            Plan::Fail => Err(Outcome::fail("ValueError", format!("leaf {weight}"))),
            Plan::Retry { times } if ctx.retries() < times => {
                let cause =
                    Failure::builtin("RuntimeError", vec![format!("again {weight}").into()]);
                Err(ctx.retry().countdown(Duration::ZERO).failure(cause).into())
            }
            Plan::Replace { with } => replace(read(with)?),
            _ => Ok(fold(&Value::List(vec![
                weight.into(),
                Value::List(self.results),
            ]))),
        }
    }
}

/// Counts the run by task and attempt.
async fn record(ctx: &Context) -> Result<(), Outcome> {
    count(
        ctx,
        "trees.runs",
        &format!("{}:{}", ctx.id(), ctx.retries()),
    )
    .await?;
    let nesting = ctx.request().replaced_task_nesting.to_string();
    Store::of(ctx)
        .set_in("trees.nesting", ctx.id(), &nesting)
        .await
}

/// Counts first deliveries in their table, and later ones of the same message by themselves.
async fn count(ctx: &Context, table: &str, key: &str) -> Result<(), Outcome> {
    let table = if ctx.redelivered() {
        "trees.again"
    } else {
        table
    };
    Store::of(ctx).increment_in(table, key).await
}

/// A callback or errback: counts its calls by label and by what it is called with.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    #[serde(default)]
    subject: Value,
    label: String,
}

impl Task for Note {
    const NAME: &'static str = "trees.note";
    type Output = ();

    async fn run(self, ctx: &Context) -> Result<(), Outcome> {
        let about = match &self.subject {
            Value::Str(text) => text.clone(),
            other => fold(other).to_string(),
        };
        let field = format!("{}:{about}", self.label);
        count(ctx, "trees.notes", &field).await
    }
}
