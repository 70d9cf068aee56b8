//! Signatures opened as trees, and closed again. What the parts mean is the business of the other modules.

use std::collections::VecDeque;

use protocol::{Canvas, Map, Signature, Value};

use crate::ClientError;

/// How deep canvas may be nested. Beyond it no peer could read the messages, and none is sent.
pub const MAX_NESTING: usize = 64;

/// A signature with its parts. The keyword arguments of a composite are its parts.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) head: Signature,
    pub(super) parts: Parts,
}

#[derive(Clone, Debug)]
pub(super) enum Parts {
    /// One call; `celery.map` and `celery.starmap` are such.
    Task,
    Chain(Vec<Node>),
    Group(Vec<Node>),
    Chord(Box<Chord>),
}

/// The parts of a chord.
#[derive(Clone, Debug)]
pub(super) struct Chord {
    /// A group.
    pub(super) header: Node,
    pub(super) body: Node,
    /// Keyword arguments for the members.
    pub(super) kwargs: Map,
}

impl Node {
    /// Opens a signature. Chunks open as the group that they are sent as.
    pub(super) fn open(signature: Signature) -> Result<Self, ClientError> {
        Self::open_at(signature, 0)
    }

    pub(super) fn open_value(value: Value) -> Result<Self, ClientError> {
        Self::open(Signature::from_value(value).map_err(malformed)?)
    }

    fn open_at(mut head: Signature, depth: usize) -> Result<Self, ClientError> {
        if depth > MAX_NESTING {
            return Err(ClientError::CanvasTooDeep);
        }
        if matches!(head.subtask_type.as_deref(), Some("xmap" | "xstarmap")) {
            head.immutable = true;
            return Ok(Self::task(head));
        }
        let canvas = head
            .take_canvas()
            .map_err(|error| malformed(error.at(&head.task)))?;
        let parts = match canvas {
            Canvas::Chain(tasks) => Parts::Chain(open_all(tasks, depth)?),
            Canvas::Group(tasks) => Parts::Group(open_all(tasks, depth)?),
            Canvas::Chord {
                header,
                body,
                kwargs,
            } => {
                let header = Self::group(open_all(header, depth)?);
                let body = Self::open_at(*body, depth + 1)?;
                if body.is_empty_chain() {
                    return Err(ClientError::EmptyChain);
                }
                Parts::Chord(Box::new(Chord {
                    header,
                    body,
                    kwargs,
                }))
            }
            Canvas::Chunks { task, it, n } => return Ok(chunks(head, &task, it, n)),
            Canvas::Task | Canvas::Map { .. } | Canvas::Starmap { .. } => Parts::Task,
        };
        Ok(Self { head, parts })
    }

    pub(super) fn task(head: Signature) -> Self {
        let parts = Parts::Task;
        Self { head, parts }
    }

    pub(super) fn chain(tasks: Vec<Self>) -> Self {
        Self {
            head: composite("chain"),
            parts: Parts::Chain(tasks),
        }
    }

    pub(super) fn group(members: Vec<Self>) -> Self {
        Self {
            head: composite("group"),
            parts: Parts::Group(members),
        }
    }

    /// A chord of this group and this body.
    pub(super) fn chord(header: Self, body: Self) -> Self {
        let kwargs = Map::new();
        Self {
            head: composite("chord"),
            parts: Parts::Chord(Box::new(Chord {
                header,
                body,
                kwargs,
            })),
        }
    }

    /// Takes every task out of this group. The members of a chord's body are frozen as the chord's; when the body becomes a
    /// chord itself they are counted there.
    pub(super) fn leave_group(&mut self, group_id: &str) {
        if given(&self.head.options, "group_id").and_then(Value::as_str) == Some(group_id) {
            self.head.options.remove("group_id");
        }
        match &mut self.parts {
            Parts::Task => {}
            Parts::Chain(nodes) | Parts::Group(nodes) => {
                nodes.iter_mut().for_each(|node| node.leave_group(group_id));
            }
            Parts::Chord(chord) => {
                chord.header.leave_group(group_id);
                chord.body.leave_group(group_id);
            }
        }
    }

    /// The signature of the tree.
    pub(super) fn close(self) -> Signature {
        let Self { mut head, parts } = self;
        match parts {
            Parts::Task => {}
            Parts::Chain(tasks) | Parts::Group(tasks) => {
                head.kwargs = Map::from_iter([("tasks", close_all(tasks))]);
            }
            Parts::Chord(chord) => head.kwargs = chord.close(),
        }
        head
    }

    pub(super) fn close_value(self) -> Value {
        self.close().into_value()
    }

    pub(super) fn is_chord(&self) -> bool {
        matches!(self.parts, Parts::Chord(_))
    }

    pub(super) fn is_group(&self) -> bool {
        matches!(self.parts, Parts::Group(_))
    }

    /// Whether it is a group or chain that contains nothing.
    pub(super) fn is_empty_group(&self) -> bool {
        matches!(&self.parts, Parts::Group(members) if members.is_empty())
    }

    pub(super) fn is_empty_chain(&self) -> bool {
        matches!(&self.parts, Parts::Chain(tasks) if tasks.is_empty())
    }

    /// A group of one is that one.
    pub(super) fn unroll_single(mut self) -> Self {
        match &mut self.parts {
            Parts::Group(members) if members.len() == 1 => members.remove(0),
            _ => self,
        }
    }

    /// How many ends of tasks it counts for in a chord: those that a chord's bookkeeping sees.
    pub(super) fn chord_size(&self) -> u64 {
        match &self.parts {
            Parts::Task => 1,
            Parts::Group(members) => members.iter().map(Self::chord_size).sum(),
            Parts::Chain(tasks) => {
                let sizes = tasks.iter().rev().map(Self::chord_size);
                sizes.into_iter().find(|size| *size > 0).unwrap_or(0)
            }
            Parts::Chord(chord) => chord.body.chord_size(),
        }
    }
}

impl Chord {
    /// A header without an id of its own is written as a list, as Python does.
    fn close(self) -> Map {
        let mut map = Map::new();
        map.insert("kwargs", self.kwargs);
        match self.header.parts {
            Parts::Group(members) if self.header.head.options.is_empty() => {
                map.insert("header", close_all(members));
            }
            parts => {
                let header = Node {
                    head: self.header.head,
                    parts,
                };
                map.insert("header", header.close());
            }
        }
        map.insert("body", self.body.close());
        map
    }
}

/// An option's value; null counts as absent.
pub(super) fn given<'a>(options: &'a Map, name: &str) -> Option<&'a Value> {
    options.get(name).filter(|value| !value.is_null())
}

/// Takes an option out; null counts as absent.
pub(super) fn take(options: &mut Map, name: &str) -> Option<Value> {
    options.remove(name).filter(|value| !value.is_null())
}

/// Takes out an option that is a text; anything else counts as absent.
pub(super) fn take_text(options: &mut Map, name: &str) -> Option<String> {
    match options.remove(name) {
        Some(Value::Str(text)) => Some(text),
        _ => None,
    }
}

/// The items of an option that may be one item or a list.
pub(super) fn items(value: Option<Value>) -> Vec<Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::List(items)) => items,
        Some(item) => vec![item],
    }
}

/// Adds items to a list option, which may have been one item.
pub(super) fn extend_option(options: &mut Map, name: &str, more: impl IntoIterator<Item = Value>) {
    let mut all = items(options.get_mut(name).map(std::mem::take));
    all.extend(more);
    options.insert(name, all);
}

pub(super) fn malformed(source: protocol::DecodeError) -> ClientError {
    let what = "the signature";
    ClientError::Decode { what, source }
}

fn composite(kind: &str) -> Signature {
    Signature {
        subtask_type: Some(kind.to_owned()),
        ..Signature::new(format!("celery.{kind}"))
    }
}

fn open_all(tasks: Vec<Signature>, depth: usize) -> Result<Vec<Node>, ClientError> {
    let tasks = tasks.into_iter();
    tasks.map(|task| Node::open_at(task, depth + 1)).collect()
}

fn close_all(tasks: Vec<Node>) -> Vec<Value> {
    tasks.into_iter().map(Node::close_value).collect()
}

/// A group of `celery.starmap` tasks with `n` items each.
fn chunks(head: Signature, task: &Signature, it: Vec<Value>, n: u32) -> Node {
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    let mut rest = VecDeque::from(it);
    let mut members = Vec::new();
    while !rest.is_empty() {
        let part = rest.drain(..n.min(rest.len())).collect();
        let task = Box::new(task.clone());
        let member = Canvas::Starmap { task, it: part }.into_signature();
        let mut member = member.expect("a starmap is a composite signature");
        member.immutable = true;
        members.push(Node::task(member));
    }
    let mut group = Node::group(members);
    group.head.options = head.options;
    group
}
