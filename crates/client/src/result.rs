//! A handle on a task's result.

use std::marker::PhantomData;
use std::time::Duration;

use broker::{ResultBackend, ResultStream};
use protocol::{DecodeError, DecodeErrorKind, ExceptionInfo, State, TaskMeta, Value, from_value};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use crate::error::RemoteException;
use crate::{Client, ClientError, TaskError};

/// The result of one call, now or later; `O` is its type.
#[derive(Debug)]
pub struct AsyncResult<O> {
    client: Client,
    id: String,
    output: PhantomData<fn() -> O>,
}

impl<O> Clone for AsyncResult<O> {
    fn clone(&self) -> Self {
        Self::new(self.client.clone(), self.id.clone())
    }
}

impl<O> AsyncResult<O> {
    pub(crate) fn new(client: Client, id: String) -> Self {
        Self {
            client,
            id,
            output: PhantomData,
        }
    }

    /// The task's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The same result read as another type.
    pub fn cast<P>(self) -> AsyncResult<P> {
        AsyncResult::new(self.client, self.id)
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

    /// Deletes what is stored about the task.
    ///
    /// # Errors
    /// As [`AsyncResult::meta`].
    pub async fn forget(&self) -> Result<(), ClientError> {
        let ids = [self.id.clone()];
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
        let (control, ids) = (self.client.control(), std::slice::from_ref(&self.id));
        let request = if terminate {
            control.terminate(ids, signal)
        } else {
            control.revoke(ids)
        };
        request.send().await
    }

    /// Waits until the task has ended and returns its stored meta, whatever it says.
    ///
    /// # Errors
    /// [`TaskError::Timeout`], or when the result backend fails.
    pub async fn wait(&self, timeout: Duration) -> Result<TaskMeta, TaskError> {
        let deadline = Instant::now() + timeout;
        let watching = self.backend()?.watch(vec![self.id.clone()]);
        let late = |state| TaskError::Timeout {
            id: self.id.clone(),
            state,
            timeout,
        };
        let opened = timeout_at(deadline, watching)
            .await
            .map_err(|_| late(State::Pending))?;
        let mut metas = opened.map_err(ClientError::broker("wait for the result"))?;
        let mut state = State::Pending;
        match timeout_at(deadline, ready_meta(&mut metas, &mut state)).await {
            Ok(Some(meta)) => Ok(meta),
            Ok(None) => Err(closed().into()),
            Err(_) => Err(late(state)),
        }
    }

    fn backend(&self) -> Result<&dyn ResultBackend, ClientError> {
        self.client
            .backends()
            .results
            .as_deref()
            .ok_or(ClientError::NoResultBackend)
    }
}

impl<O: DeserializeOwned> AsyncResult<O> {
    /// Waits for the task's output.
    ///
    /// # Errors
    /// What the task raised, [`TaskError::Revoked`], [`TaskError::Timeout`], or when the result cannot be had or read.
    pub async fn get(&self, timeout: Duration) -> Result<O, TaskError> {
        output(self.wait(timeout).await?)
    }
}

async fn ready_meta(metas: &mut ResultStream, state: &mut State) -> Option<TaskMeta> {
    while let Some(meta) = metas.next().await {
        if meta.status.is_ready() {
            return Some(meta);
        }
        *state = meta.status;
    }
    None
}

fn output<O: DeserializeOwned>(meta: TaskMeta) -> Result<O, TaskError> {
    match meta.status {
        State::Success => from_value(meta.result).map_err(|source| unreadable(source).into()),
        State::Revoked => Err(TaskError::Revoked {
            exception: exception(meta.result)?,
        }),
        _ => Err(TaskError::Failed {
            exception: exception(meta.result)?,
            traceback: meta.traceback,
        }),
    }
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
