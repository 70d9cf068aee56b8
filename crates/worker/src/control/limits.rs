//! Commands that change the limits of a type of task until the worker ends.

use protocol::{Map, Value, python_repr};
use tracing::info;

use super::{Answer, Panel, error, ok, text};
use crate::limiter::{RateError, TimeLimits};

/// The rate is a text, or a number of tasks per second; nothing and zero take the limit away.
pub(super) fn rate_limit(panel: &Panel, arguments: &Map) -> Answer {
    let rate = match arguments.get("rate_limit") {
        Some(Value::Str(rate)) => rate.clone(),
        None | Some(Value::Null) => String::new(),
        Some(Value::Int(0)) => String::new(),
        Some(number) => python_repr(number),
    };
    let name = text(arguments, "task_name").unwrap_or_default();
    match panel.engine.limiter.set_rate(name, &rate) {
        Err(RateError::Number(failure)) => {
            let why = failure.exception.repr();
            Ok(error(format!("Invalid rate limit string: {why}")))
        }
        Err(RateError::Unit(failure)) => Err(failure),
        Err(RateError::UnknownTask) => Ok(error("unknown task")),
        Ok(()) if rate.is_empty() => {
            info!(task_name = name, "rate limit disabled");
            Ok(ok("rate limit disabled successfully"))
        }
        Ok(()) => {
            info!(task_name = name, rate, "new rate limit");
            Ok(ok("new rate limit set successfully"))
        }
    }
}

pub(super) fn time_limit(panel: &Panel, arguments: &Map) -> Answer {
    let seconds = |name| arguments.get(name).and_then(Value::as_f64);
    let limits = TimeLimits {
        hard: seconds("hard"),
        soft: seconds("soft"),
    };
    let name = text(arguments, "task_name").unwrap_or_default();
    if !panel.engine.limiter.set_time_limits(name, limits) {
        return Ok(error("unknown task"));
    }
    info!(
        task_name = name,
        hard = limits.hard,
        soft = limits.soft,
        "new time limits"
    );
    Ok(ok("time limits set successfully"))
}
