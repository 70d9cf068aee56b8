//! What a task is: its arguments as a struct, a name, an output and a run.

use std::future::Future;
use std::time::Duration;

use client::canvas::{FirstArgument, Group, Nothing, Step, Takes};
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
    /// When they do not fit: how the run then ends, by default as a failure with `TypeError`.
    fn bind(_ctx: &Context, arguments: Arguments) -> Result<Self, Outcome> {
        bind(Self::NAME, arguments).map_err(BindError::into_outcome)
    }

    /// Runs it once.
    fn run(self, ctx: &Context) -> impl Future<Output = Result<Self::Output, Outcome>> + Send;
}

/// Tasks as parts of canvas; see [`client::canvas`].
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use worker::{Context, Outcome, Task};
/// use worker::SignTask;
///
/// #[derive(Serialize, Deserialize)]
/// struct Add { x: i64, y: i64 }
/// # impl Task for Add {
/// #     const NAME: &'static str = "demo.add";
/// #     type Output = i64;
/// #     async fn run(self, _: &Context) -> Result<i64, Outcome> { Ok(self.x + self.y) }
/// # }
/// client::first_argument!(Add, x: i64);
///
/// // (1 + 2) + 3; what a partial says about its first argument is left out.
/// let flow = Add { x: 1, y: 2 }.s().then(Add { x: 0, y: 3 }.partial());
/// assert!(flow.into_signature().is_ok());
/// ```
pub trait SignTask: Task {
    /// The call with all its arguments.
    fn s(self) -> Step<Nothing, Self::Output> {
        Step::of(Self::NAME, &self)
    }

    /// The call whose first argument is the result of the step before.
    fn partial(self) -> Step<Takes<Self::First>, Self::Output>
    where
        Self: FirstArgument,
    {
        Step::partial(Self::NAME, &self)
    }

    /// These calls, `n` of them in one task, side by side.
    ///
    /// # Panics
    /// When `n` is 0.
    fn chunks(calls: impl IntoIterator<Item = Self>, n: u32) -> Group<Nothing, Vec<Self::Output>> {
        Step::<Nothing, Self::Output>::chunks(Self::NAME, calls, n)
    }

    /// These calls one after the other in one task.
    fn starmap(calls: impl IntoIterator<Item = Self>) -> Step<Nothing, Vec<Self::Output>> {
        Step::<Nothing, Self::Output>::starmap(Self::NAME, calls)
    }
}

impl<T: Task> SignTask for T {}

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
