//! How often tasks of a type may start, and how long they may run, where that changes while the worker runs.
//!
//! A rate is Celery's token bucket with a capacity of one, per type and worker. A message whose token is due soon waits here, without
//! a slot; any other goes back to the server, due when its token is expected, so that it is in nobody's way.

mod bucket;
mod waiting;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use protocol::{Value, rate};

use crate::{Failure, Registry, TaskOptions, WorkerError};
use bucket::Bucket;
pub(crate) use bucket::Turn;
pub(crate) use waiting::Waiting;

/// Messages that may wait here for their tokens, of all types.
const WAITING: usize = 256;

/// Time limits in seconds as `time_limit` sets them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct TimeLimits {
    pub(crate) hard: Option<f64>,
    pub(crate) soft: Option<f64>,
}

/// Why a rate was refused.
#[derive(Debug)]
pub(crate) enum RateError {
    /// What stands before the unit is no number.
    Number(Failure),
    /// The unit is none.
    Unit(Failure),
    /// No task has this name.
    UnknownTask,
}

/// The limits of all types of tasks.
#[derive(Debug)]
pub(crate) struct Limiter {
    /// `worker_disable_rate_limits`.
    disabled: bool,
    /// Whether any type has a rate, or changed time limits: while none has, a task costs two atomic reads.
    rates: AtomicBool,
    times: AtomicBool,
    types: Mutex<HashMap<Arc<str>, Limits>>,
}

#[derive(Debug, Default)]
struct Limits {
    /// As it was set; empty for none.
    rate: String,
    bucket: Option<Bucket>,
    waiting: usize,
    times: Option<TimeLimits>,
}

impl Limits {
    /// Celery's buckets are full when they are new.
    fn set_rate(&mut self, text: &str, per_second: f64) {
        text.clone_into(&mut self.rate);
        self.bucket = Bucket::new(per_second, Instant::now());
    }
}

impl Limiter {
    /// The limits that the tasks' options and the default set.
    ///
    /// # Errors
    /// When a rate cannot be read.
    pub(crate) fn new(
        registry: &Registry,
        default: Option<&str>,
        disabled: bool,
    ) -> Result<Self, WorkerError> {
        let mut types = HashMap::new();
        for name in registry.names() {
            let own = registry
                .options(name)
                .and_then(|options| options.rate_limit.as_deref());
            let text = own.or(default).unwrap_or_default();
            let per_second = rate(text).map_err(|source| WorkerError::RateLimit {
                task: name.to_owned(),
                source,
            })?;
            let mut limits = Limits::default();
            limits.set_rate(text, per_second);
            types.insert(name.into(), limits);
        }
        let limiter = Self {
            disabled,
            rates: AtomicBool::new(false),
            times: AtomicBool::new(false),
            types: Mutex::new(types),
        };
        limiter.note_rates();
        Ok(limiter)
    }

    /// When a task of this type may start.
    pub(crate) fn turn(&self, name: &str) -> Turn {
        if self.disabled || !self.rates.load(Ordering::Acquire) {
            return Turn::Now;
        }
        let mut types = self.lock();
        let room = types.values().map(|limits| limits.waiting).sum::<usize>() < WAITING;
        let Some(limits) = types.get_mut(name) else {
            return Turn::Now;
        };
        let Some(bucket) = &mut limits.bucket else {
            return Turn::Now;
        };
        let turn = bucket.take(Instant::now(), room, limits.waiting == 0);
        if matches!(turn, Turn::Soon(_)) {
            limits.waiting += 1;
        }
        turn
    }

    /// A task of this type waits no longer.
    pub(crate) fn waited(&self, name: &str) {
        if let Some(limits) = self.lock().get_mut(name) {
            limits.waiting = limits.waiting.saturating_sub(1);
        }
    }

    /// The rate of a type as it was set; `None` when it has none.
    pub(crate) fn rate(&self, name: &str) -> Option<String> {
        let types = self.lock();
        let rate = types.get(name).map(|limits| limits.rate.clone())?;
        (!rate.is_empty()).then_some(rate)
    }

    /// Changes the rate of a type; nothing takes it away.
    pub(crate) fn set_rate(&self, name: &str, text: &str) -> Result<(), RateError> {
        let per_second = rate(text).map_err(|_| why_refused(text))?;
        let mut types = self.lock();
        let limits = types.get_mut(name).ok_or(RateError::UnknownTask)?;
        limits.set_rate(text, per_second);
        drop(types);
        self.note_rates();
        Ok(())
    }

    /// Every bucket is full again.
    pub(crate) fn reset(&self) {
        let now = Instant::now();
        for limits in self.lock().values_mut() {
            limits.bucket = limits.bucket.take().map(|bucket| bucket.filled(now));
        }
    }

    /// The time limits of a type: what was set while the worker runs, or else its options'.
    pub(crate) fn time_limits(&self, name: &str, options: &TaskOptions) -> TimeLimits {
        let own = TimeLimits {
            hard: options.time_limit,
            soft: options.soft_time_limit,
        };
        if !self.times.load(Ordering::Acquire) {
            return own;
        }
        let types = self.lock();
        types
            .get(name)
            .and_then(|limits| limits.times)
            .unwrap_or(own)
    }

    /// Changes the time limits of a type; `false` when there is none of this name.
    pub(crate) fn set_time_limits(&self, name: &str, limits: TimeLimits) -> bool {
        let mut types = self.lock();
        let Some(known) = types.get_mut(name) else {
            return false;
        };
        known.times = Some(limits);
        self.times.store(true, Ordering::Release);
        true
    }

    fn note_rates(&self) {
        let any = self.lock().values().any(|limits| limits.bucket.is_some());
        self.rates.store(any, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Limits>> {
        self.types.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The exception that Python raises over this text.
fn why_refused(text: &str) -> RateError {
    let (count, unit) = text.split_once('/').unwrap_or((text, "s"));
    let is_number = count.trim().parse::<f64>().is_ok_and(f64::is_finite);
    if is_number && !["s", "m", "h", ""].contains(&unit) {
        return RateError::Unit(Failure::builtin("KeyError", vec![unit.into()]));
    }
    let why = format!("could not convert string to float: '{count}'");
    RateError::Number(Failure::builtin("ValueError", vec![Value::Str(why)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        match why_refused(text) {
            RateError::Number(failure) | RateError::Unit(failure) => failure.exception.repr(),
            RateError::UnknownTask => String::new(),
        }
    }

    #[test]
    fn bad_rates_are_refused_in_pythons_words() {
        assert_eq!(
            refused("fast"),
            "ValueError(\"could not convert string to float: 'fast'\")"
        );
        assert_eq!(refused("10/x"), "KeyError('x')");
    }

    #[test]
    fn a_type_that_nobody_knows_is_not_limited() {
        let limiter = Limiter::new(&Registry::new(), None, false).unwrap();
        assert!(matches!(limiter.turn("x"), Turn::Now));
        assert!(matches!(
            limiter.set_rate("x", "1/s"),
            Err(RateError::UnknownTask)
        ));
        assert!(!limiter.set_time_limits("x", TimeLimits::default()));
    }
}
