//! Work-flows as signatures: chain, group, chord, chunks, map and starmap.

use crate::error::{DecodeError, DecodeErrorKind};
use crate::signature::{Signature, list_or_null, map_or_null, signatures};
use crate::take;
use crate::value::{Map, Value};

/// What a signature stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Canvas {
    /// One call.
    Task,
    /// Calls one after the other, each with the result of the one before; in forward order.
    Chain(Vec<Signature>),
    /// Calls side by side.
    Group(Vec<Signature>),
    /// A group, and a body that gets the list of its results.
    Chord {
        /// The group's members.
        header: Vec<Signature>,
        /// What gets the results.
        body: Box<Signature>,
        /// Keyword arguments for the members.
        kwargs: Map,
    },
    /// One call per `n` items.
    Chunks {
        /// The call.
        task: Box<Signature>,
        /// Argument lists.
        it: Vec<Value>,
        /// Items per call.
        n: u32,
    },
    /// One task that calls `task` with each item.
    Map {
        /// The call.
        task: Box<Signature>,
        /// Single arguments.
        it: Vec<Value>,
    },
    /// One task that calls `task` with each list of arguments.
    Starmap {
        /// The call.
        task: Box<Signature>,
        /// Argument lists.
        it: Vec<Value>,
    },
}

impl Canvas {
    /// Reads what a signature stands for.
    ///
    /// # Errors
    /// When a composite signature lacks a part or has a wrong one; the error names the field.
    pub fn from_signature(signature: &Signature) -> Result<Self, DecodeError> {
        let mut kwargs = signature.kwargs.clone();
        let kind = signature.subtask_type.as_deref();
        Self::read(kind, &mut kwargs).map_err(|error| error.at("kwargs"))
    }

    fn read(kind: Option<&str>, kwargs: &mut Map) -> Result<Self, DecodeError> {
        Ok(match kind {
            None | Some("") => Self::Task,
            Some("chain") => Self::Chain(members(kwargs, "tasks")?),
            Some("group") => Self::Group(members(kwargs, "tasks")?),
            Some("chord") => Self::Chord {
                header: take::field(kwargs, "header", header)?,
                body: call(kwargs, "body")?,
                kwargs: take::field(kwargs, "kwargs", map_or_null)?,
            },
            Some("chunks") => Self::Chunks {
                task: call(kwargs, "task")?,
                it: take::field(kwargs, "it", list_or_null)?,
                n: take::field(kwargs, "n", chunk_size)?,
            },
            Some("xmap") => Self::Map {
                task: call(kwargs, "task")?,
                it: take::field(kwargs, "it", list_or_null)?,
            },
            Some("xstarmap") => Self::Starmap {
                task: call(kwargs, "task")?,
                it: take::field(kwargs, "it", list_or_null)?,
            },
            Some(other) => {
                let detail = format!("unknown subtask_type {other:?}");
                return Err(DecodeError::new(DecodeErrorKind::Value, detail));
            }
        })
    }

    /// The composite signature; `None` for a plain task, which says its own name.
    pub fn into_signature(self) -> Option<Signature> {
        let (kind, task, kwargs) = match self {
            Self::Task => return None,
            Self::Chain(tasks) => ("chain", "celery.chain", tasks_of(tasks)),
            Self::Group(tasks) => ("group", "celery.group", tasks_of(tasks)),
            Self::Chord {
                header,
                body,
                kwargs,
            } => {
                let mut map = Map::from_iter([("kwargs", kwargs)]);
                map.insert("header", Self::Group(header).into_signature());
                map.insert("body", *body);
                ("chord", "celery.chord", map)
            }
            Self::Chunks { task, it, n } => {
                let mut map = applied(*task, it);
                map.insert("n", n);
                ("chunks", "celery.chunks", map)
            }
            Self::Map { task, it } => ("xmap", "celery.map", applied(*task, it)),
            Self::Starmap { task, it } => ("xstarmap", "celery.starmap", applied(*task, it)),
        };
        let subtask_type = Some(kind.to_owned());
        Some(Signature {
            kwargs,
            subtask_type,
            ..Signature::new(task)
        })
    }
}

impl Signature {
    /// What this signature stands for.
    ///
    /// # Errors
    /// When a composite signature lacks a part or has a wrong one; the error names the field.
    pub fn canvas(&self) -> Result<Canvas, DecodeError> {
        Canvas::from_signature(self)
    }

    /// Takes the parts out of a composite signature, which is left without keyword arguments; nothing is copied.
    ///
    /// # Errors
    /// As [`Signature::canvas`].
    pub fn take_canvas(&mut self) -> Result<Canvas, DecodeError> {
        let mut kwargs = std::mem::take(&mut self.kwargs);
        let canvas = Canvas::read(self.subtask_type.as_deref(), &mut kwargs);
        if matches!(canvas, Ok(Canvas::Task)) {
            self.kwargs = kwargs;
        }
        canvas.map_err(|error| error.at("kwargs"))
    }
}

fn tasks_of(tasks: Vec<Signature>) -> Map {
    Map::from_iter([("tasks", tasks)])
}

fn applied(task: Signature, it: Vec<Value>) -> Map {
    let mut map = Map::new();
    map.insert("task", task);
    map.insert("it", Value::List(it));
    map
}

fn members(kwargs: &mut Map, name: &str) -> Result<Vec<Signature>, DecodeError> {
    take::field(kwargs, name, signatures)?.ok_or_else(|| DecodeError::missing(name))
}

fn call(kwargs: &mut Map, name: &str) -> Result<Box<Signature>, DecodeError> {
    take::field(kwargs, name, Signature::from_value).map(Box::new)
}

/// A chord header: a list of signatures, or one signature, of which a group or chain stands for its tasks.
fn header(value: Value) -> Result<Vec<Signature>, DecodeError> {
    let single = matches!(value, Value::Map(_));
    let mut members = signatures(value)?.unwrap_or_default();
    match members.first_mut() {
        Some(only) if single && matches!(only.subtask_type.as_deref(), Some("group" | "chain")) => {
            match only.take_canvas()? {
                Canvas::Group(tasks) | Canvas::Chain(tasks) => Ok(tasks),
                _ => Ok(Vec::new()),
            }
        }
        _ => Ok(members),
    }
}

fn chunk_size(value: Value) -> Result<u32, DecodeError> {
    take::count(value)?
        .filter(|size| *size > 0)
        .ok_or_else(|| DecodeError::new(DecodeErrorKind::Value, "expected a size of 1 or more"))
}
