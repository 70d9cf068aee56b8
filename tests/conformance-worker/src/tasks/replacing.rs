//! Tasks that go on as something else.

use protocol::{Map, Signature, Value};
use worker::Outcome;

use super::plain::keyword;
use crate::canvas::{chain, group, immutable, read, replace, stamped, task as signature};
use crate::python;
use crate::store::Store;
use crate::task::task;

task! {
    /// Adds by another task.
    fn add_replaced(_, x: Value, y: Value) -> Value { replace(signature("add", vec![x, y])) }
}

task! {
    /// Adds by a chain.
    fn add_replaced_with_chain(_, x: Value, y: Value) -> Value {
        replace(chain(vec![signature("add", vec![x, y]), signature("identity", vec![])]))
    }
}

task! {
    /// Adds the value to each number, by a group.
    fn add_to_all(_, nums: Value, val: Value) -> Value { replace(group(additions(nums, &val)?)) }
}

task! {
    /// Fails by another task.
    fn fail_replaced(_, *arguments) -> () { replace(immutable("fail", arguments.args)) }
}

task! {
    /// Goes on as a chain with a callback.
    fn replace_with_chain(_, *arguments) -> Value {
        let steps = vec![signature("identity", arguments.args), signature("identity", vec![])];
        replace(chain(steps).option("link", vec![echo(&arguments.kwargs)?]))
    }
}

task! {
    /// Goes on as a chain that fails, with an errback.
    fn replace_with_chain_which_raises(_, *arguments) -> Value {
        let steps = vec![signature("identity", arguments.args), signature("raise_error", vec![])];
        replace(chain(steps).option("link_error", vec![echo(&arguments.kwargs)?]))
    }
}

task! {
    /// Goes on as nothing.
    fn replace_with_empty_chain(_, *_arguments) -> Value { replace(chain(Vec::new())) }
}

task! {
    /// Goes on as a chain that ends in a group.
    fn replace_with_chain_which_contains_a_group(_) -> Value {
        let one = || signature("add", vec![1.into()]);
        replace(chain(vec![signature("add", vec![1.into(), 2.into()]), group(vec![one(), one()])]))
    }
}

task! {
    /// Notes how often it was replaced, and goes on as itself a number of times.
    fn record_replaced_task_nesting(ctx, replacements: i64, #[serde(default)] nesting: Option<Vec<i64>>) -> Vec<i64> {
        let mut nesting = nesting.unwrap_or_default();
        nesting.push(ctx.request().replaced_task_nesting.into());
        if replacements > 0 {
            let args = vec![Value::Int(replacements - 1), nesting.into()];
            return replace(signature("record_replaced_task_nesting", args));
        }
        Ok(nesting)
    }
}

task! {
    /// Goes on as a chain that ends in itself.
    fn second_order_replace1(ctx, #[serde(default)] state: bool) -> () {
        let next = || vec![signature("second_order_replace2", vec![]), back("second_order_replace1")];
        in_and_out(Store::of(ctx), "A", state, next).await
    }
}

task! {
    /// Goes on as another chain that ends in itself.
    fn second_order_replace2(ctx, #[serde(default)] state: bool) -> () {
        let next = || vec![signature("redis_echo", vec!["In/Out C".into()]), back("second_order_replace2")];
        in_and_out(Store::of(ctx), "B", state, next).await
    }
}

task! {
    /// Goes on as the signature, or as a task that says so, with a stamp of its own.
    fn replace_with_stamped_task(_, #[serde(default)] replace_with: Value) -> Value {
        let next = match replace_with {
            Value::Null => signature("replaced_with_me", Vec::new()),
            given => read(given)?,
        };
        replace(stamped(next, "StampOnReplace", "This is the replaced task"))
    }
}

pub(super) fn additions(nums: Value, val: &Value) -> Result<Vec<Signature>, Outcome> {
    let addition = |number| signature("add", vec![number, val.clone()]);
    Ok(python::iterate(nums)?.into_iter().map(addition).collect())
}

/// A callback that notes `link_msg`, or without it the result.
fn echo(kwargs: &Map) -> Result<Signature, Outcome> {
    let message: Option<Value> = keyword(kwargs, "link_msg", None)?;
    Ok(match message {
        Some(message) => immutable("redis_echo", vec![message]).option("immutable", true),
        None => signature("redis_echo", Vec::new()),
    })
}

fn back(name: &str) -> Signature {
    immutable(name, Vec::new()).kwarg("state", true)
}

async fn in_and_out(
    store: &Store,
    name: &str,
    state: bool,
    next: impl FnOnce() -> Vec<Signature>,
) -> Result<(), Outcome> {
    let word = if state { "Out" } else { "In" };
    store
        .push("redis-echo", &format!("{word} {name}").into())
        .await?;
    if state {
        Ok(())
    } else {
        replace(chain(next()))
    }
}
