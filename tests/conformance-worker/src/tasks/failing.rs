//! Tasks that fail, with the exceptions that the tests expect.

#![expect(
    clippy::disallowed_names,
    reason = "the parameters' names are Celery's"
)]

use protocol::Value;
use worker::{Failure, Outcome};

use crate::task::task;

const MODULE: &str = "t.integration.tasks";

task! {
    /// Fails with Python's `ValueError`.
    fn raise_error(_, *_arguments) -> () { Err(Outcome::fail("ValueError", "deliberate error")) }
}

task! {
    /// Fails with the tests' own exception, which carries the arguments.
    fn fail(_, *arguments) -> () {
        let text = Value::from("Task expected to fail");
        let args = [vec![text], arguments.args].concat();
        Err(Outcome::Fail(Box::new(expected(args))))
    }
}

task! {
    /// Fails with an exception that Python cannot build from its arguments.
    fn fail_unpickleable(_, foo: Value, bar: Value) -> () {
        Err(Outcome::Fail(Box::new(unpickleable(foo, &bar))))
    }
}

/// The tests' own exception.
pub(super) fn expected(args: Vec<Value>) -> Failure {
    Failure::new("ExpectedException", MODULE, args)
}

/// An exception of two arguments of which only the first is among its `args`.
pub(super) fn unpickleable(foo: Value, _bar: &Value) -> Failure {
    Failure::new("UnpickleableException", MODULE, vec![foo])
}
