//! The results of a group as one.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use protocol::{ResultTuple, State, TaskMeta, Value};
use serde::de::DeserializeOwned;

use super::ancestors::leaves;
use super::ready::Ready;
use super::{Ancestors, AsyncResult, CanvasResult, output, read, revoke, value};
use crate::{Client, ClientError, TaskError};

/// The results of a group; `O` is the type of each.
#[derive(Debug)]
pub struct GroupResult<O> {
    client: Client,
    id: String,
    children: Arc<[ResultTuple]>,
    ancestors: Ancestors,
    output: PhantomData<fn() -> O>,
}

impl<O> Clone for GroupResult<O> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            id: self.id.clone(),
            children: Arc::clone(&self.children),
            ancestors: self.ancestors.clone(),
            output: PhantomData,
        }
    }
}

impl<O> GroupResult<O> {
    pub(crate) fn new(
        client: Client,
        id: String,
        children: Vec<ResultTuple>,
        ancestors: Ancestors,
    ) -> Self {
        Self {
            client,
            id,
            children: children.into(),
            ancestors,
            output: PhantomData,
        }
    }

    /// The group's result; that of a task as that of a group of one.
    pub(crate) fn of(client: Client, result: CanvasResult) -> GroupResult<Value> {
        match result {
            CanvasResult::Group(group) => group,
            CanvasResult::Task(task) => {
                let child = vec![ResultTuple::task(task.id())];
                GroupResult::new(client, task.id().to_owned(), child, Ancestors::default())
            }
        }
    }

    /// The group's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How many members it has.
    pub fn len(&self) -> usize {
        self.children.len()
    }

    /// Whether it has no members.
    pub fn is_empty(&self) -> bool {
        self.children.is_empty()
    }

    /// The same results read as another type.
    pub fn cast<P>(self) -> GroupResult<P> {
        GroupResult {
            client: self.client,
            id: self.id,
            children: self.children,
            ancestors: self.ancestors,
            output: PhantomData,
        }
    }

    /// The members' results in order; Celery's `results` and `children`. A chain that ends in a group gives a group.
    pub fn results(&self) -> Vec<CanvasResult> {
        let children = self.children.iter().cloned();
        children
            .map(|child| CanvasResult::from_tuple(self.client.clone(), child))
            .collect()
    }

    /// The ids of all tasks in it.
    pub fn task_ids(&self) -> Vec<String> {
        leaves(&self.children)
    }

    /// The result of the step before, if the group is a later step of a chain.
    pub fn parent(&self) -> Option<CanvasResult> {
        self.ancestors.parent(&self.client)
    }

    /// Itself as data.
    pub fn as_tuple(&self) -> ResultTuple {
        ResultTuple {
            parent: self.ancestors.as_parent(),
            ..ResultTuple::group(self.id.as_str(), self.children.to_vec())
        }
    }

    /// Saves it, so that [`Client::restore_group`] and Celery's `GroupResult.restore` find it by its id.
    ///
    /// # Errors
    /// When there is no result backend or it fails.
    pub async fn save(&self) -> Result<(), ClientError> {
        let tuple = Value::from(&self.as_tuple());
        let saved = self.client.results()?.save_group(&self.id, tuple).await;
        saved.map_err(ClientError::broker("save the group"))
    }

    /// Forgets that it was saved; the members' results stay.
    ///
    /// # Errors
    /// When there is no result backend or it fails.
    pub async fn delete(&self) -> Result<(), ClientError> {
        let forgotten = self.client.results()?.forget_group(&self.id).await;
        forgotten.map_err(ClientError::broker("forget the group"))
    }

    /// Whether all members have succeeded; so for the following: one round trip, whatever the group's size.
    ///
    /// # Errors
    /// When there is no result backend or it fails.
    pub async fn successful(&self) -> Result<bool, ClientError> {
        Ok(self.completed_count().await? == self.len())
    }

    /// Whether a member has failed.
    ///
    /// # Errors
    /// As [`GroupResult::successful`].
    pub async fn failed(&self) -> Result<bool, ClientError> {
        let states = self.states().await?;
        Ok(states.values().any(|state| *state == State::Failure))
    }

    /// Whether a member has not ended.
    ///
    /// # Errors
    /// As [`GroupResult::successful`].
    pub async fn waiting(&self) -> Result<bool, ClientError> {
        let states = self.states().await?;
        Ok(!states.values().all(State::is_ready))
    }

    /// Whether all members have ended, in whatever way.
    ///
    /// # Errors
    /// As [`GroupResult::successful`].
    pub async fn ready(&self) -> Result<bool, ClientError> {
        Ok(!self.waiting().await?)
    }

    /// How many members have succeeded.
    ///
    /// # Errors
    /// As [`GroupResult::successful`].
    pub async fn completed_count(&self) -> Result<usize, ClientError> {
        let states = self.states().await?;
        let succeeded = |child: &&ResultTuple| {
            let ids = leaves(std::slice::from_ref(child));
            ids.iter().all(|id| states.get(id) == Some(&State::Success))
        };
        Ok(self.children.iter().filter(succeeded).count())
    }

    /// Deletes what is stored about the members.
    ///
    /// # Errors
    /// As [`GroupResult::successful`].
    pub async fn forget(&self) -> Result<(), ClientError> {
        let forgotten = self.client.results()?.forget(&self.task_ids()).await;
        forgotten.map_err(ClientError::broker("forget the results"))
    }

    /// Tells all workers not to run the members; with `terminate`, to end those that run.
    ///
    /// # Errors
    /// When the broker fails.
    pub async fn revoke(&self, terminate: bool, signal: &str) -> Result<(), ClientError> {
        revoke(&self.client, &self.task_ids(), terminate, signal).await
    }

    async fn states(&self) -> Result<HashMap<String, State>, ClientError> {
        let ids = self.task_ids();
        let metas = self.client.results()?.fetch(&ids).await;
        let metas = metas.map_err(ClientError::broker("fetch the results"))?;
        let states = metas
            .into_iter()
            .map(|meta| meta.map_or(State::Pending, |meta| meta.status));
        Ok(ids.into_iter().zip(states).collect())
    }

    async fn watch(&self, timeout: Duration) -> Result<Ready, TaskError> {
        Ready::open(&self.client, self.task_ids(), timeout).await
    }
}

impl<O: DeserializeOwned> GroupResult<O> {
    /// Waits for all members and gives their outputs in order; Celery's `get`, `join` and `join_native`. One subscription, and
    /// nothing is asked for twice.
    ///
    /// # Errors
    /// What the first member raised that has not succeeded, [`TaskError::Timeout`], or when a result cannot be had or read.
    pub async fn join(&self, timeout: Duration) -> Result<Vec<O>, TaskError> {
        let mut ready = self.watch(timeout).await?;
        let mut values = HashMap::with_capacity(self.len());
        while let Some(meta) = ready.next().await? {
            values.insert(meta.task_id.clone(), value(meta)?);
        }
        let children = self.children.iter();
        children
            .map(|child| read(assembled(child, &values)).map_err(TaskError::from))
            .collect()
    }

    /// As [`GroupResult::join`], but gives what a member raised in its place; Celery's `propagate=False`.
    ///
    /// # Errors
    /// [`TaskError::Timeout`], or when a result cannot be had.
    pub async fn join_all(
        &self,
        timeout: Duration,
    ) -> Result<Vec<Result<O, TaskError>>, TaskError> {
        let mut ready = self.watch(timeout).await?;
        let mut metas = HashMap::with_capacity(self.len());
        while let Some(meta) = ready.next().await? {
            metas.insert(meta.task_id.clone(), meta);
        }
        let outcome = |child: &ResultTuple| {
            let mut values = HashMap::new();
            for id in leaves(std::slice::from_ref(child)) {
                if let Some(meta) = metas.get(&id) {
                    values.insert(id, value(meta.clone())?);
                }
            }
            read(assembled(child, &values)).map_err(TaskError::from)
        };
        Ok(self.children.iter().map(outcome).collect())
    }

    /// The members as they end; those of nested groups one by one.
    ///
    /// # Errors
    /// As [`GroupResult::join_all`].
    pub async fn as_completed(&self, timeout: Duration) -> Result<Completed<O>, TaskError> {
        Ok(Completed {
            client: self.client.clone(),
            ready: self.watch(timeout).await?,
            output: PhantomData,
        })
    }
}

/// The members of a group as they end.
#[derive(Debug)]
pub struct Completed<O> {
    client: Client,
    ready: Ready,
    output: PhantomData<fn() -> O>,
}

impl<O: DeserializeOwned> Completed<O> {
    /// The next member that has ended and what it gave; `None` after the last one. Cancel-safe.
    ///
    /// # Errors
    /// [`TaskError::Timeout`], or when a result cannot be had.
    pub async fn next(
        &mut self,
    ) -> Result<Option<(AsyncResult<O>, Result<O, TaskError>)>, TaskError> {
        let Some(meta) = self.ready.next().await? else {
            return Ok(None);
        };
        let TaskMeta { task_id, .. } = &meta;
        let member = AsyncResult::new(self.client.clone(), task_id.clone());
        Ok(Some((member, output(meta))))
    }
}

/// A member's output; a list of outputs for a group.
fn assembled(result: &ResultTuple, values: &HashMap<String, Value>) -> Value {
    match &result.children {
        None => values.get(&result.id).cloned().unwrap_or_default(),
        Some(children) => Value::List(
            children
                .iter()
                .map(|child| assembled(child, values))
                .collect(),
        ),
    }
}
