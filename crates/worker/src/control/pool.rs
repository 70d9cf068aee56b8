//! Commands about the size of the pool.

use protocol::{Map, Value, python_repr};

use super::{Answer, Panel, error, ok, texts};
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

/// New child processes take the place of the old ones, which finish what they run, and rates count anew; there is nothing else to
/// restart. A program has no modules to import: those that are named are not found.
pub(super) fn restart(panel: &Panel, arguments: &Map) -> Answer {
    let engine = &panel.engine;
    if !engine.settings.worker_pool_restarts {
        return Err(value_error("Pool restarts not enabled"));
    }
    if let Some(module) = texts(arguments, "modules").first() {
        let package = module.split('.').next().unwrap_or_default();
        let why = format!("No module named {}", python_repr(&package.into()));
        return Err(Failure::builtin("ModuleNotFoundError", vec![why.into()]));
    }
    engine.limiter.reset();
    engine.pool.restart();
    Ok(ok("reload started"))
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
