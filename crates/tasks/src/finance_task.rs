//! What a finance task is, and everything around its run that all of them share.

use std::future::Future;

use jiff::tz::TimeZone;
use protocol::{Map, Value, from_value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use worker::{Arguments, Context, Outcome, Registry, Task, TaskOptions};

use crate::answer::{Answer, Reply, Skipped};
use crate::arguments::{ArgumentError, Binder};
use crate::catalogue::Spec;
use crate::failure::{argument, failure};
use crate::lock::{Attempt, Held};
use crate::record::{Record, arguments};
use crate::{App, Run, app};

/// A finance task: its arguments as a struct, its line in the catalogue, and what it does. [`RegisterFinance::finance`] makes
/// it a task of a worker.
pub trait FinanceTask: Serialize + DeserializeOwned + Send + 'static {
    /// Names, arguments, queue, limits.
    const SPEC: Spec;

    /// The fields of its result.
    type Data: Serialize + DeserializeOwned + Send;

    /// The key of the lock that keeps a second run away; none for tasks that may run side by side.
    fn lock(&self) -> Option<String> {
        None
    }

    /// Runs it once; its arguments have been checked, and its lock is held.
    fn run(
        self,
        run: &mut Run<'_>,
    ) -> impl Future<Output = Result<Answer<Self::Data>, Outcome>> + Send;
}

/// A finance task as a task of a worker: arguments bound by its rules, the run recorded, its lock held, its result in an envelope.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Finance<T>(pub T);

impl<T: FinanceTask> Task for Finance<T>
where
    Self: DeserializeOwned,
{
    const NAME: &'static str = T::SPEC.name;
    type Output = Reply<T::Data>;

    fn options() -> TaskOptions {
        T::SPEC.options()
    }

    fn bind(ctx: &Context, arguments: Arguments) -> Result<Self, Outcome> {
        let bound = bind_spec(&T::SPEC, app(ctx)?, arguments).map_err(argument)?;
        Ok(Self(from_value(Value::Map(bound))?))
    }

    async fn run(self, ctx: &Context) -> Result<Self::Output, Outcome> {
        let app = app(ctx)?;
        let record = Record::start(ctx, app, arguments(&self.0)).await;
        let ended = locked(self.0, ctx, app).await;
        let error = ended.as_ref().err();
        record
            .end(
                error,
                error.is_some_and(|error| T::SPEC.retries(error, ctx.retries())),
            )
            .await;
        ended
    }
}

/// Runs the task while its lock is held, or says who holds it.
async fn locked<T: FinanceTask>(
    task: T,
    ctx: &Context,
    app: &App,
) -> Result<Reply<T::Data>, Outcome> {
    let mut run = Run::start(ctx, app, T::SPEC);
    let Some(key) = task.lock() else {
        let answer = task.run(&mut run).await?;
        return Ok(run.end(answer));
    };
    let answer = match Held::take(app.store().await?, &key, ctx.id(), T::SPEC.limits).await {
        Ok(Attempt::Taken(lock)) => lock.during(task.run(&mut run)).await?,
        Ok(Attempt::HeldBy(holder)) => Answer::Skipped(Skipped {
            holder: Some(holder),
            ..Skipped::because("already_running")
        }),
        Err(error) => return Err(failure(error)),
    };
    Ok(run.end(answer))
}

/// The arguments of a task by its rules, in the folders of this application.
///
/// # Errors
/// The first argument that does not fit.
pub fn bind_spec(spec: &Spec, app: &App, arguments: Arguments) -> Result<Map, ArgumentError> {
    let now = jiff::Timestamp::now().to_zoned(TimeZone::UTC).date();
    let binder = Binder {
        today: now.tomorrow().unwrap_or(now),
        roots: &|place| app.place(place),
    };
    binder.bind(spec.fields, spec.ordered, arguments)
}

/// Finance tasks in a worker's registry.
pub trait RegisterFinance {
    /// Adds a task under all its names.
    #[must_use]
    fn finance<T: FinanceTask>(self) -> Self;

    /// The same on a thread of its own: for tasks that work without awaiting.
    #[must_use]
    fn finance_blocking<T: FinanceTask>(self) -> Self;
}

impl RegisterFinance for Registry {
    fn finance<T: FinanceTask>(self) -> Self {
        aliased::<T>(self.task::<Finance<T>>())
    }

    fn finance_blocking<T: FinanceTask>(self) -> Self {
        aliased::<T>(self.blocking::<Finance<T>>())
    }
}

fn aliased<T: FinanceTask>(registry: Registry) -> Registry {
    T::SPEC
        .aliases
        .iter()
        .fold(registry, |registry, alias| registry.alias(alias))
}
