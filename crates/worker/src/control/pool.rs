//! Commands about the size of the pool.

use protocol::{Map, Value};

use super::{Answer, Panel, error, ok};
use crate::pools::Bounds;
use crate::{Failure, WorkerError};

const NOT_WITH: &str = "is not supported with autoscale. Adjust autoscale range instead.";

pub(super) fn grow(panel: &Panel, arguments: &Map) -> Answer {
    let pool = &panel.engine.pool;
    if pool.bounds().is_some() {
        return Ok(error(format!("pool_grow {NOT_WITH}")));
    }
    let n = number(arguments, "n")?.unwrap_or(1);
    pool.grow(n).map_err(refused)?;
    Ok(ok("pool will grow"))
}

pub(super) fn shrink(panel: &Panel, arguments: &Map) -> Answer {
    let pool = &panel.engine.pool;
    if pool.bounds().is_some() {
        return Ok(error(format!("pool_shrink {NOT_WITH}")));
    }
    let n = number(arguments, "n")?.unwrap_or(1);
    pool.shrink(n).map_err(refused)?;
    Ok(ok("pool will shrink"))
}

pub(super) fn autoscale(panel: &Panel, arguments: &Map) -> Answer {
    let pool = &panel.engine.pool;
    if pool.bounds().is_none() {
        return Err(value_error("Autoscale not enabled"));
    }
    let (max, min) = (number(arguments, "max")?, number(arguments, "min")?);
    let Bounds { max, min } = pool.autoscale(max, min).map_err(refused)?;
    Ok(ok(format!("autoscale now max={max} min={min}")))
}

/// Celery answers so unless `worker_pool_restarts` is set. A program's tasks cannot change while it runs.
pub(super) fn restart(_: &Panel, _: &Map) -> Answer {
    Err(value_error("Pool restarts not enabled"))
}

fn refused(error: WorkerError) -> Failure {
    value_error(error.to_string())
}

fn value_error(text: impl Into<String>) -> Failure {
    Failure::builtin("ValueError", vec![text.into().into()])
}

/// A whole number from zero up, given as one or as its text, as the command line of Celery gives it.
fn number(arguments: &Map, name: &str) -> Result<Option<usize>, Failure> {
    let refused = || value_error(format!("{name} must be a whole number from zero up"));
    match arguments.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Int(n)) => usize::try_from(*n).map(Some).map_err(|_| refused()),
        Some(Value::Str(text)) => text.parse().map(Some).map_err(|_| refused()),
        Some(_) => Err(refused()),
    }
}
