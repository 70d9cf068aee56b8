//! Which tasks a worker runs. Registration is explicit; nothing is found by itself.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;
use protocol::{Map, Value, to_value};

use crate::bind::Arguments;
use crate::builtin;
use crate::control::{Handler, is_builtin};
use crate::errback::RegisteredErrback;
use crate::states::States;
use crate::{Context, Errback, Failure, Outcome, Pool, Task, TaskOptions, WorkerError};

pub(crate) type RunFn = fn(Arguments, Arc<Context>) -> BoxFuture<'static, Result<Value, Outcome>>;

/// The tasks of a worker, by name.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    tasks: HashMap<Arc<str>, Arc<RegisteredTask>>,
    last: Option<Arc<str>>,
    errbacks: HashMap<&'static str, Arc<RegisteredErrback>>,
    duplicate: Option<String>,
    commands: HashMap<String, Handler>,
    duplicate_command: Option<String>,
    states: States,
}

/// A task whose type is forgotten.
#[derive(Clone)]
pub(crate) struct RegisteredTask {
    pub(crate) name: Arc<str>,
    pub(crate) options: TaskOptions,
    run: RunFn,
    /// Whether a run of it has ended here, so that it is known how long they take. An alias is known with its task.
    known: Arc<AtomicBool>,
}

impl RegisteredTask {
    pub(crate) fn new(name: &str, options: TaskOptions, run: RunFn) -> Self {
        Self {
            name: name.into(),
            options,
            run,
            known: Arc::default(),
        }
    }

    /// Whether a run of it has ended here.
    pub(crate) fn is_known(&self) -> bool {
        self.known.load(Ordering::Relaxed)
    }

    /// A run of it has ended.
    pub(crate) fn know(&self) {
        self.known.store(true, Ordering::Relaxed);
    }

    pub(crate) fn run(
        &self,
        arguments: Arguments,
        ctx: Arc<Context>,
    ) -> BoxFuture<'static, Result<Value, Outcome>> {
        (self.run)(arguments, ctx)
    }
}

impl fmt::Debug for RegisteredTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisteredTask")
            .field("name", &self.name)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Registry {
    /// No tasks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a task that runs where its options say, else where the worker's do: by default on the async runtime.
    #[must_use]
    pub fn task<T: Task>(self) -> Self {
        self.insert::<T>(T::options())
    }

    /// Adds a task that runs on a thread of its own.
    #[must_use]
    pub fn blocking<T: Task>(self) -> Self {
        self.insert::<T>(TaskOptions {
            pool: Some(Pool::Blocking),
            ..T::options()
        })
    }

    /// Adds a task that runs in a child process.
    #[must_use]
    pub fn prefork<T: Task>(self) -> Self {
        self.insert::<T>(TaskOptions {
            pool: Some(Pool::Prefork),
            ..T::options()
        })
    }

    /// Adds a second name for the task added last, for callers that know it by another one.
    #[must_use]
    pub fn alias(mut self, name: &str) -> Self {
        let task = self
            .last
            .as_ref()
            .and_then(|last| self.tasks.get(last))
            .cloned();
        if let Some(task) = task {
            self.add(
                name.into(),
                RegisteredTask {
                    name: name.into(),
                    ..(*task).clone()
                },
            );
        }
        self
    }

    /// Adds an errback that is called in the worker; see [`Errback`].
    #[must_use]
    pub fn errback<E: Errback>(mut self) -> Self {
        let errback = Arc::new(RegisteredErrback::of::<E>());
        if self.errbacks.insert(E::NAME, errback).is_some() {
            self.duplicate.get_or_insert(E::NAME.to_owned());
        }
        self
    }

    /// Adds Celery's built-in tasks, except those whose names the application has taken.
    pub(crate) fn add_builtins(&mut self) {
        for task in builtin::tasks() {
            let name = Arc::clone(&task.name);
            self.tasks.entry(name).or_insert_with(|| Arc::new(task));
        }
    }

    /// Gives all tasks a value that they reach by its type with [`Context::state`]: a database pool, the application's settings.
    #[must_use]
    pub fn state<S: Any + Send + Sync>(mut self, state: S) -> Self {
        self.states.insert(state);
        self
    }

    /// Adds a command to remote control, for `celery inspect` and `celery control` alike. The handler gets the request's arguments; a
    /// failure, and a panic, is told as `{"error": …}` to whoever has asked. Commands run at the same time as tasks and as each other.
    #[must_use]
    pub fn control_command<F, Fut>(mut self, name: &str, handler: F) -> Self
    where
        F: Fn(Map) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Value, Failure>> + Send + 'static,
    {
        let before = self.commands.insert(name.to_owned(), Handler::new(handler));
        if before.is_some() || is_builtin(name) {
            self.duplicate_command.get_or_insert(name.to_owned());
        }
        self
    }

    /// Changes the options of every task; Celery's `task_annotations`.
    pub fn annotate(&mut self, mut change: impl FnMut(&str, &mut TaskOptions)) {
        for (name, task) in &mut self.tasks {
            change(name, &mut Arc::make_mut(task).options);
        }
    }

    /// The names in alphabetical order.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.tasks.keys().map(AsRef::as_ref).collect();
        names.sort_unstable();
        names
    }

    /// The names without Celery's built-in tasks.
    pub(crate) fn names_of_application(&self) -> Vec<&str> {
        let mut names = self.names();
        names.retain(|name| !name.starts_with("celery."));
        names
    }

    /// The options of a task.
    pub fn options(&self, name: &str) -> Option<&TaskOptions> {
        self.tasks.get(name).map(|task| &task.options)
    }

    pub(crate) fn errback_named(&self, name: &str) -> Option<&Arc<RegisteredErrback>> {
        self.errbacks.get(name)
    }

    pub(crate) fn states(&self) -> &States {
        &self.states
    }

    /// The application's control command of this name.
    pub(crate) fn command(&self, name: &str) -> Option<&Handler> {
        self.commands.get(name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Arc<RegisteredTask>> {
        self.tasks.get(name)
    }

    /// Refuses a registry in which a name stands for two tasks or two commands.
    pub(crate) fn check(&self) -> Result<(), WorkerError> {
        if let Some(name) = &self.duplicate {
            return Err(WorkerError::DuplicateTask { name: name.clone() });
        }
        match &self.duplicate_command {
            Some(name) => Err(WorkerError::DuplicateCommand { name: name.clone() }),
            None => Ok(()),
        }
    }

    fn insert<T: Task>(mut self, options: TaskOptions) -> Self {
        let name: Arc<str> = T::NAME.into();
        self.last = Some(Arc::clone(&name));
        let task = RegisteredTask::new(T::NAME, options, run_erased::<T>);
        self.add(name, task);
        self
    }

    fn add(&mut self, name: Arc<str>, task: RegisteredTask) {
        if self
            .tasks
            .insert(Arc::clone(&name), Arc::new(task))
            .is_some()
        {
            self.duplicate.get_or_insert(name.to_string());
        }
    }
}

fn run_erased<T: Task>(
    arguments: Arguments,
    ctx: Arc<Context>,
) -> BoxFuture<'static, Result<Value, Outcome>> {
    Box::pin(async move {
        let task = T::bind(&ctx, arguments)?;
        let output = task.run(&ctx).await?;
        to_value(&output).map_err(|error| {
            let text = format!("the result cannot be encoded: {error}");
            Outcome::Fail(Box::new(Failure::new(
                "EncodeError",
                "kombu.exceptions",
                vec![Value::Str(text)],
            )))
        })
    })
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Noop;

    impl Task for Noop {
        const NAME: &'static str = "demo.noop";
        type Output = ();
        async fn run(self, _: &Context) -> Result<(), Outcome> {
            Ok(())
        }
    }

    #[test]
    fn a_name_that_is_registered_twice_is_refused() {
        assert!(Registry::new().task::<Noop>().check().is_ok());
        let twice = Registry::new().task::<Noop>().blocking::<Noop>();
        assert!(
            matches!(twice.check(), Err(WorkerError::DuplicateTask { name }) if name == "demo.noop")
        );
    }

    #[test]
    fn an_alias_runs_the_same_task_under_its_own_name() {
        let registry = Registry::new().blocking::<Noop>().alias("old.noop");
        assert_eq!(registry.names(), ["demo.noop", "old.noop"]);
        assert_eq!(
            registry.options("old.noop").map(|options| options.pool),
            Some(Some(Pool::Blocking))
        );
    }

    #[test]
    fn annotations_change_options() {
        let mut registry = Registry::new().task::<Noop>();
        registry.annotate(|name, options| {
            options.rate_limit = (name == "demo.noop").then(|| "10/m".to_owned())
        });
        assert_eq!(
            registry
                .options("demo.noop")
                .and_then(|options| options.rate_limit.as_deref()),
            Some("10/m")
        );
    }
}
