//! One call's result, now or later. Those of groups and of trees are in the modules below.

mod ancestors;
mod group;
mod ready;
mod tree;

use std::marker::PhantomData;
use std::time::Duration;

use broker::ResultBackend;
use protocol::{
    DecodeError, DecodeErrorKind, ExceptionInfo, ResultTuple, State, TaskMeta, Value, from_value,
};
use serde::de::DeserializeOwned;

use self::ready::Ready;
use crate::error::RemoteException;
use crate::{Client, ClientError, TaskError};

pub(crate) use self::ancestors::Ancestors;
pub use self::group::{Completed, GroupResult};
pub use self::tree::CanvasResult;

/// The result of one call, now or later; `O` is its type.
#[derive(Debug)]
pub struct AsyncResult<O> {
    client: Client,
    id: String,
    ancestors: Ancestors,
    output: PhantomData<fn() -> O>,
}

impl<O> Clone for AsyncResult<O> {
    fn clone(&self) -> Self {
        Self::after(self.client.clone(), self.id.clone(), self.ancestors.clone())
    }
}

impl<O> AsyncResult<O> {
    pub(crate) fn new(client: Client, id: String) -> Self {
        Self::after(client, id, Ancestors::default())
    }

    pub(crate) fn after(client: Client, id: String, ancestors: Ancestors) -> Self {
        Self {
            client,
            id,
            ancestors,
            output: PhantomData,
        }
    }

    /// The task's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The same result read as another type.
    pub fn cast<P>(self) -> AsyncResult<P> {
        AsyncResult::after(self.client, self.id, self.ancestors)
    }

    /// The result of the step before, if this task is a later step of a chain that was sent here, or of the header, if it is the body
    /// of a chord.
    pub fn parent(&self) -> Option<CanvasResult> {
        self.ancestors.parent(&self.client)
    }

    /// Itself as data.
    pub fn as_tuple(&self) -> ResultTuple {
        ResultTuple {
            parent: self.ancestors.as_parent(),
            ..ResultTuple::task(self.id.as_str())
        }
    }

    /// What is stored about the task; `None` while it is pending (or when its id was never sent, or has expired).
    ///
    /// # Errors
    /// When there is no result backend or it fails.
    pub async fn meta(&self) -> Result<Option<TaskMeta>, ClientError> {
        let ids = [self.id.clone()];
        let metas = self
            .backend()?
            .fetch(&ids)
            .await
            .map_err(ClientError::broker("fetch the result"))?;
        Ok(metas.into_iter().next().flatten())
    }

    /// The task's state.
    ///
    /// # Errors
    /// As [`AsyncResult::meta`].
    pub async fn state(&self) -> Result<State, ClientError> {
        Ok(self
            .meta()
            .await?
            .map_or(State::Pending, |meta| meta.status))
    }

    /// Whether the task has ended, in whatever way.
    ///
    /// # Errors
    /// As [`AsyncResult::meta`].
    pub async fn ready(&self) -> Result<bool, ClientError> {
        Ok(self.state().await?.is_ready())
    }

    /// The stored result, exception map or state meta as it is; `None` while pending.
    ///
    /// # Errors
    /// As [`AsyncResult::meta`].
    pub async fn info(&self) -> Result<Option<Value>, ClientError> {
        Ok(self.meta().await?.map(|meta| meta.result))
    }

    /// Whether the task has succeeded.
    ///
    /// # Errors
    /// As [`AsyncResult::meta`].
    pub async fn successful(&self) -> Result<bool, ClientError> {
        Ok(self.state().await? == State::Success)
    }

    /// Whether the task has failed.
    ///
    /// # Errors
    /// As [`AsyncResult::meta`].
    pub async fn failed(&self) -> Result<bool, ClientError> {
        Ok(self.state().await? == State::Failure)
    }

    /// The tasks and groups that the task has sent; none while it has not ended.
    ///
    /// # Errors
    /// As [`AsyncResult::meta`].
    pub async fn children(&self) -> Result<Vec<CanvasResult>, ClientError> {
        let children = self.meta().await?.and_then(|meta| meta.children);
        let children = children.unwrap_or_default().into_iter();
        Ok(children
            .map(|child| CanvasResult::from_tuple(self.client.clone(), child))
            .collect())
    }

    /// Deletes what is stored about the task and about the steps before it.
    ///
    /// # Errors
    /// As [`AsyncResult::meta`].
    pub async fn forget(&self) -> Result<(), ClientError> {
        let mut ids = self.ancestors.leaves();
        ids.push(self.id.clone());
        self.backend()?
            .forget(&ids)
            .await
            .map_err(ClientError::broker("forget the result"))
    }

    /// Tells all workers not to run the task; with `terminate`, to end it if it runs.
    ///
    /// # Errors
    /// When the broker fails.
    pub async fn revoke(&self, terminate: bool, signal: &str) -> Result<(), ClientError> {
        revoke(
            &self.client,
            std::slice::from_ref(&self.id),
            terminate,
            signal,
        )
        .await
    }

    /// Waits until the task has ended and returns its stored meta, whatever it says.
    ///
    /// # Errors
    /// [`TaskError::Timeout`], or when the result backend fails.
    pub async fn wait(&self, timeout: Duration) -> Result<TaskMeta, TaskError> {
        let mut ready = Ready::open(&self.client, [self.id.clone()], timeout).await?;
        ready.next().await?.ok_or_else(|| closed().into())
    }

    fn backend(&self) -> Result<&dyn ResultBackend, ClientError> {
        self.client.results()
    }
}

impl<O: DeserializeOwned> AsyncResult<O> {
    /// Waits for the task's output. The failure of an earlier step of its chain is raised as soon as it is known.
    ///
    /// # Errors
    /// What the task raised, [`TaskError::Revoked`], [`TaskError::Timeout`], or when the result cannot be had or read.
    pub async fn get(&self, timeout: Duration) -> Result<O, TaskError> {
        let ids = std::iter::once(self.id.clone()).chain(self.ancestors.tasks());
        let mut ready = Ready::open(&self.client, ids, timeout).await?;
        while let Some(meta) = ready.next().await? {
            if meta.task_id == self.id || meta.status != State::Success {
                return output(meta);
            }
        }
        Err(closed().into())
    }
}

async fn revoke(
    client: &Client,
    ids: &[String],
    terminate: bool,
    signal: &str,
) -> Result<(), ClientError> {
    let control = client.control();
    let request = match terminate {
        true => control.terminate(ids, signal),
        false => control.revoke(ids),
    };
    request.send().await
}

/// The output that a meta holds, or what the task raised.
fn output<O: DeserializeOwned>(meta: TaskMeta) -> Result<O, TaskError> {
    read(value(meta)?).map_err(TaskError::from)
}

fn value(meta: TaskMeta) -> Result<Value, TaskError> {
    match meta.status {
        State::Success => Ok(meta.result),
        State::Revoked => Err(TaskError::Revoked {
            exception: exception(meta.result)?,
        }),
        _ => Err(TaskError::Failed {
            exception: exception(meta.result)?,
            traceback: meta.traceback,
        }),
    }
}

fn read<O: DeserializeOwned>(value: Value) -> Result<O, ClientError> {
    from_value(value).map_err(unreadable)
}

fn exception(result: Value) -> Result<RemoteException, ClientError> {
    ExceptionInfo::from_value(&result)
        .map(RemoteException)
        .ok_or_else(|| {
            let detail = format!("expected an exception, found {}", result.type_name());
            unreadable(DecodeError::new(DecodeErrorKind::Type, detail).at("result"))
        })
}

fn unreadable(source: DecodeError) -> ClientError {
    ClientError::Decode {
        what: "the result",
        source,
    }
}

fn closed() -> ClientError {
    let source =
        broker::BrokerError::new(broker::ErrorKind::Closed, "the result backend was closed");
    ClientError::Broker {
        action: "wait for the result",
        source,
    }
}
