//! Errbacks that are called in the worker, with the request and the exception of the task that has failed: Celery's new style.
//!
//! Errbacks that take the failed task's id alone are tasks like any other and are sent as messages.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use client::Client;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use protocol::TaskRequest;
use serde::de::DeserializeOwned;
use tracing::error;

use crate::bind::{Arguments, BindError, bind};
use crate::engine::Engine;
use crate::{Failure, Outcome};

/// What is called in the worker when a task with this errback has failed. Its fields are the arguments that the signature stores;
/// what Python passes before them (request, exception, traceback) is [`FailedTask`].
///
/// It is called before the failure is settled, at least once, and only by the worker that still holds the task's message.
pub trait Errback: DeserializeOwned + Send + 'static {
    /// The name by which signatures ask for it.
    const NAME: &'static str;

    /// Is called once for each failure; an error is logged and changes nothing.
    fn run(self, failed: &FailedTask) -> impl Future<Output = Result<(), Outcome>> + Send;
}

/// A task that has failed, as its errbacks see it.
#[derive(Debug)]
pub struct FailedTask {
    engine: Arc<Engine>,
    request: TaskRequest,
    failure: Failure,
}

impl FailedTask {
    /// The call. Of a chord's body that was not called only the id, the name and the stored arguments are known.
    pub fn request(&self) -> &TaskRequest {
        &self.request
    }

    /// The exception and its traceback.
    pub fn failure(&self) -> &Failure {
        &self.failure
    }

    /// The application's value of this type, as given to [`crate::Registry::state`].
    pub fn state<S: Any + Send + Sync>(&self) -> Option<&S> {
        self.engine.registry.states().get()
    }

    /// The worker's client.
    pub fn client(&self) -> &Client {
        &self.engine.client
    }
}

type RunFn = fn(Arguments, Arc<FailedTask>) -> BoxFuture<'static, Result<(), Outcome>>;

/// An errback whose type is forgotten.
pub(crate) struct RegisteredErrback {
    name: &'static str,
    run: RunFn,
}

impl RegisteredErrback {
    pub(crate) fn of<E: Errback>() -> Self {
        Self {
            name: E::NAME,
            run: run_erased::<E>,
        }
    }
}

impl fmt::Debug for RegisteredErrback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RegisteredErrback")
            .field(&self.name)
            .finish()
    }
}

fn run_erased<E: Errback>(
    arguments: Arguments,
    failed: Arc<FailedTask>,
) -> BoxFuture<'static, Result<(), Outcome>> {
    Box::pin(async move {
        let errback: E = bind(E::NAME, arguments).map_err(BindError::into_outcome)?;
        errback.run(&failed).await
    })
}

/// One call to make.
#[derive(Clone, Debug)]
pub(crate) struct ErrbackCall {
    pub(crate) errback: Arc<RegisteredErrback>,
    /// What the signature stores.
    pub(crate) arguments: Arguments,
    pub(crate) request: TaskRequest,
    pub(crate) failure: Failure,
}

impl ErrbackCall {
    /// Calls it. Whatever it does, a panic included, the failed task has failed.
    pub(crate) async fn call(&self, engine: &Arc<Engine>) {
        let failed = Arc::new(FailedTask {
            engine: Arc::clone(engine),
            request: self.request.clone(),
            failure: self.failure.clone(),
        });
        let call = (self.errback.run)(self.arguments.clone(), failed);
        let (errback, task_id) = (self.errback.name, &self.request.id);
        match std::panic::AssertUnwindSafe(call).catch_unwind().await {
            Ok(Ok(())) => {}
            Ok(Err(outcome)) => error!(errback, task_id, ?outcome, "an errback has failed"),
            Err(_) => error!(errback, task_id, "an errback has panicked"),
        }
    }
}
