//! What a task is: its arguments as a struct, a name, an output and a run.

use std::future::Future;
use std::time::Duration;

use client::{AsyncResult, Call, CallOptions, Client, ClientError, Expires};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bind::{Arguments, BindError, bind};
use crate::{Context, Outcome, TaskOptions};

/// A task is its arguments: the struct's fields are the parameters, in order, for positional and keyword arguments.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use worker::{Context, Outcome, Task};
///
/// #[derive(Serialize, Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Add { x: i64, y: i64 }
///
/// impl Task for Add {
///     const NAME: &'static str = "demo.add";
///     type Output = i64;
///     async fn run(self, _ctx: &Context) -> Result<i64, Outcome> {
///         Ok(self.x + self.y)
///     }
/// }
/// ```
pub trait Task: Serialize + DeserializeOwned + Send + 'static {
    /// The registered name, by which messages ask for the task.
    const NAME: &'static str;

    /// What it returns, and what callers get.
    type Output: Serialize + DeserializeOwned + Send + 'static;

    /// How it wants to be run; Celery's names.
    fn options() -> TaskOptions {
        TaskOptions::default()
    }

    /// Turns the arguments of a call into the task; override it to take arguments that no struct describes.
    ///
    /// # Errors
    /// When they do not fit; the run then fails with `TypeError`.
    fn bind(arguments: Arguments) -> Result<Self, BindError> {
        bind(Self::NAME, arguments)
    }

    /// Runs it once.
    fn run(self, ctx: &Context) -> impl Future<Output = Result<Self::Output, Outcome>> + Send;
}

/// Typed sending of tasks: the client side of [`Task`].
pub trait SendTask {
    /// A call of this task, to be given options and sent. Arguments travel by keyword.
    fn call<T: Task>(&self, task: T) -> Call<T::Output>;

    /// Sends a call of this task as it is.
    ///
    /// # Errors
    /// When the arguments cannot be encoded or the broker cannot be reached.
    fn send<T: Task>(
        &self,
        task: T,
    ) -> impl Future<Output = Result<AsyncResult<T::Output>, ClientError>> + Send {
        self.call(task).send()
    }
}

impl SendTask for Client {
    fn call<T: Task>(&self, task: T) -> Call<T::Output> {
        let options = T::options();
        let preset = CallOptions {
            queue: options.queue,
            priority: options.priority,
            expires: options
                .expires
                .map(|seconds| Expires::After(Duration::from_secs_f64(seconds.max(0.0)))),
            ignore_result: options.ignore_result,
            ..CallOptions::default()
        };
        self.task(T::NAME).with_options(preset).kwargs(&task)
    }
}
