//! Commands about the size of the pool.

use protocol::{Map, Value, saferepr};

use super::{error, ok};
use crate::engine::Engine;
use crate::{WorkerError, pools::Bounds};

pub(super) fn grow(engine: &Engine, arguments: &Map) -> Value {
    if engine.pool.bounds().is_some() {
        return error("pool_grow is not supported with autoscale. Adjust autoscale range instead.");
    }
    let grown = number(arguments, "n").and_then(|n| Ok(engine.pool.grow(n.unwrap_or(1))?));
    answer(grown, |_| "pool will grow".to_owned())
}

pub(super) fn shrink(engine: &Engine, arguments: &Map) -> Value {
    if engine.pool.bounds().is_some() {
        return error(
            "pool_shrink is not supported with autoscale. Adjust autoscale range instead.",
        );
    }
    let shrunk = number(arguments, "n").and_then(|n| Ok(engine.pool.shrink(n.unwrap_or(1))?));
    answer(shrunk, |_| "pool will shrink".to_owned())
}

pub(super) fn autoscale(engine: &Engine, arguments: &Map) -> Value {
    if engine.pool.bounds().is_none() {
        return error("ValueError('Autoscale not enabled')");
    }
    let scaled = || {
        let (max, min) = (number(arguments, "max")?, number(arguments, "min")?);
        Ok(engine.pool.autoscale(max, min)?)
    };
    answer(scaled(), |Bounds { max, min }| {
        format!("autoscale now max={max} min={min}")
    })
}

/// What a command was refused for.
struct Refused(String);

impl From<WorkerError> for Refused {
    fn from(error: WorkerError) -> Self {
        Self(error.to_string())
    }
}

fn answer<T>(outcome: Result<T, Refused>, text: impl FnOnce(T) -> String) -> Value {
    match outcome {
        Ok(done) => ok(text(done)),
        Err(Refused(why)) => {
            let why = saferepr(&Value::Str(why), 1_024, 3);
            error(format!("ValueError({why})"))
        }
    }
}

/// A whole number from zero up, given as one or as its text, as the command line of Celery gives it.
fn number(arguments: &Map, name: &str) -> Result<Option<usize>, Refused> {
    let refused = || Refused(format!("{name} must be a whole number from zero up"));
    match arguments.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Int(n)) => usize::try_from(*n).map(Some).map_err(|_| refused()),
        Some(Value::Str(text)) => text.parse().map(Some).map_err(|_| refused()),
        Some(_) => Err(refused()),
    }
}
