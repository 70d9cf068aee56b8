//! `celery.accumulate`: gives back its arguments, or one of them. The body of a group that replaces a task.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use protocol::Value;

use crate::{Arguments, Context, Outcome};

pub(super) fn accumulate(
    arguments: Arguments,
    _: Arc<Context>,
) -> BoxFuture<'static, Result<Value, Outcome>> {
    Box::pin(async move {
        let Arguments { mut args, kwargs } = arguments;
        let index = match kwargs.get("index") {
            None | Some(Value::Null) => return Ok(Value::List(args)),
            Some(index) => index
                .as_i64()
                .ok_or_else(|| Outcome::fail("TypeError", "index must be a whole number"))?,
        };
        // As in Python, a negative index counts from the end.
        let count = i64::try_from(args.len()).unwrap_or(i64::MAX);
        let place = if index < 0 { count + index } else { index };
        match usize::try_from(place) {
            Ok(place) if place < args.len() => Ok(args.swap_remove(place)),
            _ => Err(Outcome::fail("IndexError", "tuple index out of range")),
        }
    })
}
