//! Signatures of the catalogue's tasks.

use protocol::{Canvas, Signature, Value};
use worker::Outcome;

/// A signature of one of the tasks with these arguments.
pub(crate) fn task(name: &str, args: Vec<Value>) -> Signature {
    Signature::new(format!("t.integration.tasks.{name}")).args(args)
}

/// As [`task`], for a signature that takes no result of an earlier task.
pub(crate) fn immutable(name: &str, args: Vec<Value>) -> Signature {
    Signature {
        immutable: true,
        ..task(name, args)
    }
}

pub(crate) fn chain(tasks: Vec<Signature>) -> Signature {
    composite(Canvas::Chain(tasks))
}

pub(crate) fn group(tasks: Vec<Signature>) -> Signature {
    composite(Canvas::Group(tasks))
}

pub(crate) fn chord(header: Vec<Signature>, body: Signature) -> Signature {
    composite(Canvas::Chord {
        header,
        body: Box::new(body),
        kwargs: protocol::Map::new(),
    })
}

fn composite(canvas: Canvas) -> Signature {
    canvas
        .into_signature()
        .expect("only a plain task has no composite signature")
}

/// A signature that came as an argument.
pub(crate) fn read(value: Value) -> Result<Signature, Outcome> {
    Signature::from_value(value).map_err(|error| Outcome::fail("TypeError", error.to_string()))
}

/// The signature with one more stamp.
pub(crate) fn stamped(signature: Signature, name: &str, value: &str) -> Signature {
    let mut names = match signature.options.get("stamped_headers") {
        Some(Value::List(names)) => names.clone(),
        _ => Vec::new(),
    };
    names.push(name.into());
    signature
        .option("stamped_headers", names)
        .option(name, value)
}

/// Ends the run by going on as `signature`.
pub(crate) fn replace<T>(signature: Signature) -> Result<T, Outcome> {
    Err(Outcome::Replace(Box::new(signature)))
}
