//! The result of canvas of any kind, and the tree of what came of it.

use std::collections::VecDeque;
use std::time::Duration;

use protocol::{ResultTuple, Value};

use super::{Ancestors, AsyncResult, GroupResult};
use crate::{Client, ClientError, TaskError};

/// The result of canvas: a task's, or a group's.
#[derive(Clone, Debug)]
pub enum CanvasResult {
    /// Of a task, the last step of a chain or the body of a chord.
    Task(AsyncResult<Value>),
    /// Of a group.
    Group(GroupResult<Value>),
}

impl CanvasResult {
    pub(crate) fn from_tuple(client: Client, mut tuple: ResultTuple) -> Self {
        let ancestors = Ancestors::of(&mut tuple);
        Self::after(client, tuple, ancestors)
    }

    pub(crate) fn after(client: Client, tuple: ResultTuple, ancestors: Ancestors) -> Self {
        let ResultTuple { id, children, .. } = tuple;
        match children {
            None => Self::Task(AsyncResult::after(client, id, ancestors)),
            Some(children) => Self::Group(GroupResult::new(client, id, children, ancestors)),
        }
    }

    /// The task's or the group's id.
    pub fn id(&self) -> &str {
        match self {
            Self::Task(task) => task.id(),
            Self::Group(group) => group.id(),
        }
    }

    /// The task's result, if it is one.
    pub fn into_task(self) -> Option<AsyncResult<Value>> {
        match self {
            Self::Task(task) => Some(task),
            Self::Group(_) => None,
        }
    }

    /// The group's result, if it is one.
    pub fn into_group(self) -> Option<GroupResult<Value>> {
        match self {
            Self::Task(_) => None,
            Self::Group(group) => Some(group),
        }
    }

    /// The result that comes before.
    pub fn parent(&self) -> Option<Self> {
        match self {
            Self::Task(task) => task.parent(),
            Self::Group(group) => group.parent(),
        }
    }

    /// Waits for the task's output, or for the list of those of the group.
    ///
    /// # Errors
    /// As [`AsyncResult::get`].
    pub async fn get(&self, timeout: Duration) -> Result<Value, TaskError> {
        match self {
            Self::Task(task) => task.get(timeout).await,
            Self::Group(group) => group.join(timeout).await.map(Value::List),
        }
    }

    /// What a task has sent; the members of a group.
    ///
    /// # Errors
    /// As [`AsyncResult::meta`].
    pub async fn children(&self) -> Result<Vec<Self>, ClientError> {
        match self {
            Self::Task(task) => task.children().await,
            Self::Group(group) => Ok(group.results()),
        }
    }

    /// Waits for this result, for those of the tasks that it has sent, for those that they have sent, and so on; Celery's
    /// `collect`. Gives each with its output, the senders before the sent. `timeout` is for each of them.
    ///
    /// # Errors
    /// As [`AsyncResult::get`].
    pub async fn collect(&self, timeout: Duration) -> Result<Vec<(Self, Value)>, TaskError> {
        let mut waiting = VecDeque::from([self.clone()]);
        let mut collected = Vec::new();
        while let Some(result) = waiting.pop_front() {
            let value = result.get(timeout).await?;
            waiting.extend(result.children().await?);
            collected.push((result, value));
        }
        Ok(collected)
    }
}
