//! Work-flows for the tests: signatures of every kind, and tasks that look at what they get.

use protocol::{Canvas, Map, Signature, Value};
use serde::{Deserialize, Serialize};
use worker::{Arguments, Context, Outcome, Registry, Task, TaskOptions};

use crate::tasks::{Count, Fail};

/// The tasks of this file.
pub(crate) fn register(registry: Registry) -> Registry {
    registry
        .task::<Collect>()
        .task::<AddTo>()
        .task::<BecomeThat>()
        .task::<Start>()
        .task::<Refuse>()
}

/// Gives back its arguments as they came.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Collect {
    args: Vec<Value>,
}

impl Task for Collect {
    const NAME: &'static str = "demo.collect";
    type Output = Vec<Value>;
    fn bind(_: &Context, arguments: Arguments) -> Result<Self, Outcome> {
        Ok(Self {
            args: arguments.args,
        })
    }
    async fn run(self, _: &Context) -> Result<Vec<Value>, Outcome> {
        Ok(self.args)
    }
}

/// Adds signatures to its chord.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AddTo {
    pub(crate) signatures: Vec<Value>,
}

impl Task for AddTo {
    const NAME: &'static str = "demo.add_to";
    type Output = i64;
    async fn run(self, ctx: &Context) -> Result<i64, Outcome> {
        for signature in self.signatures {
            ctx.add_to_chord(Signature::from_value(signature)?)?;
        }
        Ok(0)
    }
}

/// Is replaced by a signature.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BecomeThat {
    pub(crate) signature: Value,
}

impl Task for BecomeThat {
    const NAME: &'static str = "demo.become";
    type Output = Value;
    async fn run(self, ctx: &Context) -> Result<Value, Outcome> {
        Err(ctx.replace(Signature::from_value(self.signature)?))
    }
}

/// Starts canvas of its own, and gives back the handle on its result.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) signature: Value,
}

impl Task for Start {
    const NAME: &'static str = "demo.start";
    type Output = Value;
    async fn run(self, ctx: &Context) -> Result<Value, Outcome> {
        let started = ctx.apply(Signature::from_value(self.signature)?).await?;
        Ok(Value::from(&started))
    }
}

/// Rejects its message for good.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Refuse;

impl Task for Refuse {
    const NAME: &'static str = "demo.refuse";
    type Output = ();
    fn options() -> TaskOptions {
        TaskOptions::default()
    }
    async fn run(self, _: &Context) -> Result<(), Outcome> {
        Err(Outcome::reject("no thanks", false))
    }
}

pub(crate) fn sum(x: i64, y: i64) -> Signature {
    Signature::new("demo.add").args(vec![x.into(), y.into()])
}

/// Adds to what it gets.
pub(crate) fn add(y: i64) -> Signature {
    Signature::new("demo.add").args(vec![y.into()])
}

pub(crate) fn collect(id: &str) -> Signature {
    Signature::new("demo.collect").option("task_id", id)
}

pub(crate) fn fail(message: &str) -> Signature {
    signature(Fail {
        exc_type: "ValueError".to_owned(),
        message: message.to_owned(),
    })
}

/// Takes nothing from whoever calls it.
pub(crate) fn count(key: &str) -> Signature {
    Signature {
        immutable: true,
        ..signature(Count {
            key: key.to_owned(),
        })
    }
}

/// A signature of this task, with its fields as keyword arguments.
pub(crate) fn signature<T: Task>(task: T) -> Signature {
    let kwargs = match protocol::to_value(&task).unwrap() {
        Value::Map(kwargs) => kwargs,
        _ => Map::new(),
    };
    Signature {
        kwargs,
        ..Signature::new(T::NAME)
    }
}

pub(crate) fn become_that(signature_: Signature) -> Signature {
    signature(BecomeThat {
        signature: signature_.into(),
    })
}

pub(crate) fn chain(tasks: impl Into<Vec<Signature>>) -> Signature {
    Canvas::Chain(tasks.into()).into_signature().unwrap()
}

pub(crate) fn group(tasks: impl Into<Vec<Signature>>) -> Signature {
    Canvas::Group(tasks.into()).into_signature().unwrap()
}

pub(crate) fn chord(header: impl Into<Vec<Signature>>, body: Signature) -> Signature {
    let chord = Canvas::Chord {
        header: header.into(),
        body: Box::new(body),
        kwargs: Map::new(),
    };
    chord.into_signature().unwrap()
}

/// A value as JSON text.
pub(crate) fn json(value: &Value) -> String {
    String::from_utf8(protocol::Codec::Json.encode(value).unwrap()).unwrap()
}
