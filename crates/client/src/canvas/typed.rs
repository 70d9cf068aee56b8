//! Canvas with types: a step fits where its input is what the step before gives.
//!
//! A [`Step`] says what it takes and what it gives. What it takes is [`Nothing`] when all its arguments are there,
//! [`Takes<T>`] when its first argument is to be the result of the step before, [`Anything`] when that is not known.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use protocol::{Map, Signature, Value, to_value};
use serde::Serialize;

use super::links::{link, link_error};
use super::node::Node;
use super::stamp::{Stamping, StampingVisitor};
use crate::{AsyncResult, Client, ClientError, GroupResult};

/// All arguments are there: the result of a step before is not taken.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

/// The first argument is the result of the step before, a `T`.
#[derive(Clone, Copy, Debug)]
pub struct Takes<T>(PhantomData<fn(T)>);

/// What is taken is not known here.
#[derive(Clone, Copy, Debug)]
pub struct Anything;

/// What a step takes fits a result of type `T`.
pub trait Input<T> {
    /// Whether the result is left out.
    const IMMUTABLE: bool;
}

impl<T> Input<T> for Nothing {
    const IMMUTABLE: bool = true;
}

impl<T> Input<T> for Takes<T> {
    const IMMUTABLE: bool = false;
}

impl<T> Input<T> for Anything {
    const IMMUTABLE: bool = false;
}

/// It can be started as it is.
pub trait Start {}

impl Start for Nothing {}

impl Start for Anything {}

/// A task whose first argument can be the result of the step before; see [`first_argument!`](crate::first_argument).
pub trait FirstArgument: Serialize {
    /// The argument's type.
    type First;
    /// Its name: the first field's.
    const FIELD: &'static str;
}

/// Declares the first argument of a task, so that it can take the result of a step before: `first_argument!(Add, x: i64)`.
///
/// The compiler checks that there is such a field. That it is the first one is checked when a step is made of the task.
#[macro_export]
macro_rules! first_argument {
    ($task:ty, $field:ident: $first:ty) => {
        impl $crate::canvas::FirstArgument for $task {
            type First = $first;
            const FIELD: &'static str = stringify!($field);
        }
        const _: fn($task) -> $first = |task| task.$field;
    };
}

/// Steps one after the other: `chain![a, b, c]` is `a.then(b).then(c)`.
#[macro_export]
macro_rules! chain {
    ($first:expr $(, $next:expr)* $(,)?) => {
        $first$(.then($next))*
    };
}

/// Canvas that takes `In` and gives one `Out`: a task, a chain, a chord.
#[must_use = "a step does nothing until it is applied"]
pub struct Step<In, Out>(Built, PhantomData<fn(In) -> Out>);

/// Steps side by side, of which each gives an `Out`.
#[must_use = "a group does nothing until it is applied"]
pub struct Group<In, Out>(Built, PhantomData<fn(In) -> Out>);

/// The tree, or what was wrong on the way.
type Built = Result<Node, ClientError>;

impl<In, Out> fmt::Debug for Step<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Step").field(&self.0).finish()
    }
}

impl<In, Out> fmt::Debug for Group<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Group").field(&self.0).finish()
    }
}

/// What may follow a step that gives a `T`: a step or a group that takes it.
pub trait Follows<T> {
    /// Both together, if the first one takes `In`.
    type After<In>;

    /// Joins both.
    fn after<In>(self, before: Step<In, T>) -> Self::After<In>;

    /// Joins both, where a group comes first: it is the header of a chord, and `T` the list of its results.
    fn after_group<In, O>(self, before: Group<In, O>) -> Self::After<In>
    where
        Self: Sized;
}

impl<T, In2: Input<T>, Out> Follows<T> for Step<In2, Out> {
    type After<In> = Step<In, Out>;

    fn after<In>(self, before: Step<In, T>) -> Step<In, Out> {
        Step(join(before.0, self.0, In2::IMMUTABLE), PhantomData)
    }

    fn after_group<In, O>(self, before: Group<In, O>) -> Step<In, Out> {
        Step(join(before.0, self.0, In2::IMMUTABLE), PhantomData)
    }
}

impl<T, In2: Input<T>, Out> Follows<T> for Group<In2, Out> {
    type After<In> = Group<In, Out>;

    fn after<In>(self, before: Step<In, T>) -> Group<In, Out> {
        Group(join(before.0, self.0, In2::IMMUTABLE), PhantomData)
    }

    fn after_group<In, O>(self, before: Group<In, O>) -> Group<In, Out> {
        Group(join(before.0, self.0, In2::IMMUTABLE), PhantomData)
    }
}

fn join(before: Built, next: Built, immutable: bool) -> Built {
    let mut next = next?;
    if immutable {
        next.set_immutable();
    }
    Ok(before?.then(next))
}

/// Steps side by side.
pub fn group<In, Out>(members: impl IntoIterator<Item = Step<In, Out>>) -> Group<In, Out> {
    let members = members.into_iter().map(|member| member.0);
    let members: Result<Vec<_>, _> = members.collect();
    Group(members.map(Node::group), PhantomData)
}

/// A header of steps side by side, and a body that gets the list of their results.
pub fn chord<In, T, In2: Input<Vec<T>>, Out>(
    header: impl IntoIterator<Item = Step<In, T>>,
    body: Step<In2, Out>,
) -> Step<In, Out> {
    group(header).then(body)
}

impl<Out> Step<Nothing, Out> {
    /// A call of a task by its name, with keyword arguments.
    pub fn of(task: &str, arguments: &impl Serialize) -> Self {
        Self(keywords(task, arguments).map(called(task)), PhantomData)
    }

    /// A call of a task by its name for each `n` lists of arguments, which are the values of these, in order.
    pub fn chunks(
        task: &str,
        calls: impl IntoIterator<Item = impl Serialize>,
        n: u32,
    ) -> Group<Nothing, Vec<Out>> {
        let chunks = |it| Node::open(super::chunks(Signature::new(task), it, n));
        Group(positional(task, calls).and_then(chunks), PhantomData)
    }

    /// One task that makes all these calls one after the other.
    pub fn starmap(
        task: &str,
        calls: impl IntoIterator<Item = impl Serialize>,
    ) -> Step<Nothing, Vec<Out>> {
        let starmap = |it| Node::open(super::starmap(Signature::new(task), it));
        Step(positional(task, calls).and_then(starmap), PhantomData)
    }
}

impl<T, Out> Step<Takes<T>, Out> {
    /// A call of a task by its name, whose first argument is still to come: what these arguments say about it is left out.
    pub fn partial<A: FirstArgument<First = T>>(task: &str, arguments: &A) -> Self {
        let rest = keywords(task, arguments).and_then(|mut fields| {
            if fields.keys().next() != Some(A::FIELD) {
                return Err(ClientError::NotTheFirstArgument {
                    task: task.to_owned(),
                    field: A::FIELD,
                });
            }
            fields.remove(A::FIELD);
            Ok(fields)
        });
        Self(rest.map(called(task)), PhantomData)
    }

    /// The step with its first argument.
    pub fn with(self, first: &T) -> Step<Nothing, Out>
    where
        T: Serialize,
    {
        let with = |mut node: Node| {
            let task = node.head.task.clone();
            let first = to_value(first).map_err(|source| ClientError::Encode { task, source })?;
            node.give(first);
            Ok(node)
        };
        Step(self.0.and_then(with), PhantomData)
    }
}

impl From<Signature> for Step<Anything, Value> {
    fn from(signature: Signature) -> Self {
        Self(Node::open(signature), PhantomData)
    }
}

impl<Out> Step<Anything, Out> {
    /// The same step; its result is read as another type.
    pub fn cast<P>(self) -> Step<Anything, P> {
        Step(self.0, PhantomData)
    }
}

impl<In, Out> Step<In, Out> {
    /// What is done next with the result. Of a step that takes [`Nothing`] the result is left out; a group gives each member the
    /// result.
    pub fn then<S: Follows<Out>>(self, next: S) -> S::After<In> {
        next.after(self)
    }

    /// A step that is called with the result, while what follows goes on.
    pub fn link<In2: Input<Out>, P>(self, callback: Step<In2, P>) -> Self {
        let linked = callback.0.and_then(|mut callback| {
            if In2::IMMUTABLE {
                callback.set_immutable();
            }
            let mut node = self.0?;
            link(&mut node, &callback.close_value());
            Ok(node)
        });
        Self(linked, PhantomData)
    }

    /// The task's id; of a chain the last one's, of a chord the body's.
    pub fn task_id(self, id: impl Into<String>) -> Self {
        self.set("task_id", id.into())
    }

    /// Sends it.
    ///
    /// # Errors
    /// What was wrong with the building, or as [`Client::apply`].
    pub async fn apply(self, client: &Client) -> Result<AsyncResult<Out>, ClientError>
    where
        In: Start,
    {
        let applied = client.expand(self.into_signature()?)?;
        if applied.result.children.is_some() {
            return Err(ClientError::EndsInAGroup);
        }
        let result = client.start(applied).await?;
        let task = result.into_task().expect("the result is a task's");
        Ok(task.cast())
    }
}

impl<In, Out> Group<In, Out> {
    /// What is done with the list of the results when all are there: the body of a chord.
    pub fn then<S: Follows<Vec<Out>>>(self, body: S) -> S::After<In> {
        body.after_group(self)
    }

    /// Sends it.
    ///
    /// # Errors
    /// What was wrong with the building, or as [`Client::apply`].
    pub async fn apply(self, client: &Client) -> Result<GroupResult<Out>, ClientError>
    where
        In: Start,
    {
        let result = client.apply(self.into_signature()?).await?;
        Ok(GroupResult::<Value>::of(client.clone(), result).cast())
    }
}

macro_rules! common {
    ($name:ident) => {
        impl<In, Out> $name<In, Out> {
            /// A step that is called with the failed task's id, whichever task of it fails.
            pub fn link_error(self, errback: impl Into<Signature>) -> Self {
                let errback = errback.into().into_value();
                self.changed(|node| {
                    link_error(node, &errback, &super::Rules::default());
                    Ok(())
                })
            }

            /// Sets an option by Celery's name.
            pub fn set(self, option: &str, value: impl Into<Value>) -> Self {
                let value = value.into();
                self.changed(|node| {
                    node.head.options.insert(option, value);
                    Ok(())
                })
            }

            /// The queue.
            pub fn queue(self, name: impl Into<String>) -> Self {
                self.set("queue", name.into())
            }

            /// 0 to 9.
            pub fn priority(self, priority: u8) -> Self {
                self.set("priority", i64::from(priority))
            }

            /// Run this long after sending.
            pub fn countdown(self, wait: Duration) -> Self {
                self.set("countdown", wait.as_secs_f64())
            }

            /// Start not later than this long after sending.
            pub fn expires(self, after: Duration) -> Self {
                self.set("expires", after.as_secs_f64())
            }

            /// Stamps every task in it; see [`super::stamp`].
            pub fn stamp(self, headers: &Map, visitor: Option<&mut dyn StampingVisitor>) -> Self {
                let mut stamping = Stamping {
                    visitor,
                    append_stamps: false,
                };
                self.changed(|node| stamping.stamp(node, headers))
            }

            /// What it takes is left out.
            pub fn immutable(self) -> $name<Nothing, Out> {
                let immutable = self.0.map(|mut node| {
                    node.set_immutable();
                    node
                });
                $name(immutable, PhantomData)
            }

            /// As a signature without types.
            ///
            /// # Errors
            /// What was wrong with the building.
            pub fn into_signature(self) -> Result<Signature, ClientError> {
                self.0.map(Node::close)
            }

            fn changed(self, change: impl FnOnce(&mut Node) -> Result<(), ClientError>) -> Self {
                let changed = self.0.and_then(|mut node| {
                    change(&mut node)?;
                    Ok(node)
                });
                Self(changed, PhantomData)
            }
        }
    };
}

common!(Step);
common!(Group);

fn called(task: &str) -> impl FnOnce(Map) -> Node {
    let task = Signature::new(task);
    move |kwargs| Node::task(Signature { kwargs, ..task })
}

fn keywords(task: &str, arguments: &impl Serialize) -> Result<Map, ClientError> {
    match encoded(task, arguments)? {
        Value::Map(fields) => Ok(fields),
        Value::Null => Ok(Map::new()),
        other => Err(ClientError::NotKeywords {
            task: task.to_owned(),
            found: other.type_name(),
        }),
    }
}

/// The values of each call's fields, in order.
fn positional(
    task: &str,
    calls: impl IntoIterator<Item = impl Serialize>,
) -> Result<Vec<Value>, ClientError> {
    let values = |call| {
        let fields = keywords(task, &call)?;
        let values = fields.into_iter().map(|(_, value)| value);
        Ok(Value::List(values.collect()))
    };
    calls.into_iter().map(values).collect()
}

fn encoded(task: &str, value: &impl Serialize) -> Result<Value, ClientError> {
    to_value(value).map_err(|source| ClientError::Encode {
        task: task.to_owned(),
        source,
    })
}
