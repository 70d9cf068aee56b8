//! How a run ends when it does not simply return: values, not exceptions.

use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;
use protocol::{ExceptionInfo, Map, Signature, Value};

/// How a run ends when it does not return its output. `?` turns any error into [`Outcome::Fail`].
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Run again later; Celery's `self.retry()`.
    Retry(Box<Retry>),
    /// Hand the message back to the broker; Celery's `Reject`.
    Reject {
        /// Why.
        reason: String,
        /// Back to the queue, rather than a stored failure.
        requeue: bool,
    },
    /// Store nothing and acknowledge; Celery's `Ignore`.
    Ignore,
    /// Go on as another task under the same id; Celery's `self.replace()`.
    Replace(Box<Signature>),
    /// The task has failed.
    Fail(Box<Failure>),
}

impl Outcome {
    /// A failure with one of Python's builtin exceptions, such as `ValueError`.
    pub fn fail(exc_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Fail(Box::new(Failure::builtin(
            exc_type,
            vec![Value::Str(message.into())],
        )))
    }

    /// A rejection.
    pub fn reject(reason: impl Into<String>, requeue: bool) -> Self {
        Self::Reject {
            reason: reason.into(),
            requeue,
        }
    }
}

impl<E: Error> From<E> for Outcome {
    fn from(error: E) -> Self {
        Self::Fail(Box::new(Failure::from_error(&error)))
    }
}

/// What is stored about a failure.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The exception as the wire carries it.
    pub exception: ExceptionInfo,
    /// A text that shows where it comes from.
    pub traceback: Option<String>,
}

impl Failure {
    /// One of Python's builtin exceptions with its arguments.
    pub fn builtin(exc_type: impl Into<String>, args: Vec<Value>) -> Self {
        Self::new(exc_type, "builtins", args)
    }

    /// An exception of `celery.exceptions`.
    pub fn celery(exc_type: impl Into<String>, args: Vec<Value>) -> Self {
        Self::new(exc_type, "celery.exceptions", args)
    }

    /// An exception of any module.
    pub fn new(
        exc_type: impl Into<String>,
        exc_module: impl Into<String>,
        args: Vec<Value>,
    ) -> Self {
        let exception = ExceptionInfo {
            exc_type: exc_type.into(),
            exc_message: args,
            exc_module: Some(exc_module.into()),
        };
        Self {
            exception,
            traceback: None,
        }
    }

    /// A Rust error: its type's name and module, its text, and its sources as the traceback.
    pub fn from_error<E: Error>(error: &E) -> Self {
        let path = std::any::type_name::<E>();
        let path = path.split('<').next().unwrap_or(path);
        let (module, name) = path.rsplit_once("::").unwrap_or(("builtins", path));
        let mut failure = Self::new(
            name,
            module.replace("::", "."),
            vec![Value::Str(error.to_string())],
        );
        failure.traceback = Some(trace(name, error));
        failure
    }
}

fn trace<E: Error>(name: &str, error: &E) -> String {
    let mut text = format!("{name}: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str("\n  caused by: ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// A request to run again; made by [`crate::Context::retry`].
#[derive(Clone, Debug, Default)]
pub struct Retry {
    pub(crate) countdown: Option<Duration>,
    pub(crate) eta: Option<Timestamp>,
    pub(crate) max_retries: Option<Option<u32>>,
    pub(crate) cause: Option<Failure>,
    pub(crate) args: Option<Vec<Value>>,
    pub(crate) kwargs: Option<Map>,
}

impl Retry {
    /// Run again this long from now; the task's retry delay unless set.
    #[must_use]
    pub fn countdown(mut self, countdown: Duration) -> Self {
        self.countdown = Some(countdown);
        self
    }

    /// Run again at this time.
    #[must_use]
    pub fn eta(mut self, eta: Timestamp) -> Self {
        self.eta = Some(eta);
        self
    }

    /// Overrides the task's `max_retries`; `None` for ever.
    #[must_use]
    pub fn max_retries(mut self, max_retries: Option<u32>) -> Self {
        self.max_retries = Some(max_retries);
        self
    }

    /// The error that is stored, and raised when no retry is left.
    #[must_use]
    pub fn because<E: Error>(self, error: &E) -> Self {
        self.failure(Failure::from_error(error))
    }

    /// As [`Retry::because`], with a failure made by hand.
    #[must_use]
    pub fn failure(mut self, failure: Failure) -> Self {
        self.cause = Some(failure);
        self
    }

    /// Runs again with other arguments.
    #[must_use]
    pub fn arguments(mut self, args: Vec<Value>, kwargs: Map) -> Self {
        self.args = Some(args);
        self.kwargs = Some(kwargs);
        self
    }
}

impl From<Retry> for Outcome {
    fn from(retry: Retry) -> Self {
        Self::Retry(Box::new(retry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_type_module_text_and_sources() {
        let source = "x".parse::<i64>().expect_err("not a number");
        let error = std::io::Error::other(source);
        let failure = Failure::from_error(&error);
        assert_eq!(failure.exception.exc_type, "Error");
        assert_eq!(
            failure.exception.exc_module.as_deref(),
            Some("std.io.error")
        );
        assert!(
            failure
                .traceback
                .expect("has a trace")
                .starts_with("Error: invalid digit")
        );
    }

    #[test]
    fn the_question_mark_makes_a_failure() {
        fn run() -> Result<i64, Outcome> {
            Ok("x".parse::<i64>()?)
        }
        let Err(Outcome::Fail(failure)) = run() else {
            panic!("must fail")
        };
        assert_eq!(failure.exception.exc_type, "ParseIntError");
    }
}
