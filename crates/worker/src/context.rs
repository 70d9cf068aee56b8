//! What a running task sees of its call and of the world.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use broker::{Settled, Settlement, Verdict};
use client::canvas::{Applied, Lineage, apply};
use client::{AsyncResult, Call, Children, Client, ClientError, trace_headers};
use protocol::{Event, Map, ResultTuple, Signature, State, TaskRequest, saferepr, to_value};
use serde::Serialize;

use crate::activity::Held;
use crate::conclusion::next::{self, new_id};
use crate::conclusion::{Sequel, meta};
use crate::engine::Engine;
use crate::flag::Flag;
use crate::registry::RegisteredTask;
use crate::{Failure, Outcome, Retry, SendTask, Task, WorkerError, events};

/// How much of a state's meta a report shows, in characters.
const PROGRESS_SHOWN: usize = 256;

/// The context of one run.
pub struct Context {
    engine: Arc<Engine>,
    held: Arc<Held>,
    cancellation: Flag,
    observed: AtomicBool,
    children: Children,
    outbox: Mutex<Outbox>,
}

/// What a run has sent, and what it wants to be sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// The results of what it has sent.
    pub(crate) children: Vec<ResultTuple>,
    /// Signatures for the chord that the task is a member of.
    pub(crate) added: Vec<Signature>,
}

/// What leaves in the step that settles the run.
#[derive(Debug, Default)]
struct Outbox {
    /// Signatures for the chord that the task is a member of.
    added: Vec<Signature>,
    sequel: Sequel,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("id", &self.id())
            .field("task", &self.name())
            .finish_non_exhaustive()
    }
}

impl Context {
    pub(crate) fn new(engine: Arc<Engine>, held: Arc<Held>) -> Self {
        Self {
            engine,
            held,
            cancellation: Flag::default(),
            observed: AtomicBool::new(false),
            children: Children::default(),
            outbox: Mutex::default(),
        }
    }

    /// The task's id.
    pub fn id(&self) -> &str {
        &self.request().id
    }

    /// The name it was called by.
    pub fn name(&self) -> &str {
        &self.request().task
    }

    /// How often it was retried before; 0 in the first run.
    pub fn retries(&self) -> u32 {
        self.request().retries
    }

    /// The node's name.
    pub fn hostname(&self) -> &str {
        &self.engine.settings.hostname
    }

    /// The queue that the message came from.
    pub fn queue(&self) -> &str {
        &self.held.queue
    }

    /// Whether somebody held the message before.
    pub fn redelivered(&self) -> bool {
        self.held.redelivered
    }

    /// The call as it came: arguments, group, delivery info, stamps and all.
    pub fn request(&self) -> &TaskRequest {
        &self.held.request
    }

    /// Headers that Celery does not define.
    pub fn headers(&self) -> &Map {
        &self.request().extra
    }

    /// The client to ask for results and to control workers; to send tasks use [`Context::call`] or [`Context::send`].
    pub fn client(&self) -> &Client {
        &self.engine.client
    }

    /// The application's value of this type, as given to [`crate::Registry::state`].
    pub fn state<S: Any + Send + Sync>(&self) -> Option<&S> {
        self.engine.registry.states().get()
    }

    /// A call of another task, as a child of this one.
    pub fn call<T: Task>(&self, task: T) -> Call<T::Output> {
        self.child(self.client().call(task))
    }

    /// A call by name, as a child of this task.
    pub fn call_by_name<O>(&self, task: &str) -> Call<O> {
        self.child(self.client().task(task))
    }

    /// Sends another task as a child of this one.
    ///
    /// # Errors
    /// When the arguments cannot be encoded or the broker cannot be reached.
    pub async fn send<T: Task>(&self, task: T) -> Result<AsyncResult<T::Output>, ClientError> {
        self.call(task).send().await
    }

    fn child<O>(&self, call: Call<O>) -> Call<O> {
        let request = self.request();
        let root = request.root_id.as_ref().unwrap_or(&request.id);
        let call = call
            .parent_id(request.id.clone())
            .root_id(root.clone())
            .add_to(self.children.clone());
        call.headers(trace_headers(&request.extra))
    }

    /// Sends canvas of any kind, as children of this task, and returns the handle on its result.
    ///
    /// # Errors
    /// When the signature is malformed or cannot be encoded, or the broker or the result backend cannot be reached.
    pub async fn apply(&self, signature: Signature) -> Result<ResultTuple, ClientError> {
        let applied = apply(signature, &[], Vec::new(), &self.lineage())?;
        let (child, handle) = (applied.child.clone(), applied.handle());
        self.client().start(applied).await?;
        self.children.push(child);
        Ok(handle)
    }

    /// Ends this run and goes on as the signature, under the same id and with everything that was to follow; Celery's
    /// `self.replace()`. A group gives the list of its results. To be returned: `Err(ctx.replace(signature))`.
    pub fn replace(&self, signature: impl Into<Signature>) -> Outcome {
        Outcome::Replace(Box::new(signature.into()))
    }

    /// Adds a signature to the chord that this task is a member of; Celery's `self.add_to_chord()`. It is sent when this run ends
    /// well, before the task is counted in the chord. Returns its task id.
    ///
    /// # Errors
    /// `ValueError` when the task is not a member of a chord.
    pub fn add_to_chord(&self, signature: impl Into<Signature>) -> Result<String, Outcome> {
        if self.request().embed.chord.is_none() {
            let text = "Current task is not member of any chord";
            return Err(Outcome::fail("ValueError", text));
        }
        let mut signature = signature.into();
        let id = match signature.text_option("task_id") {
            Some(id) => id.to_owned(),
            None => new_id(),
        };
        signature.options.insert("task_id", id.as_str());
        self.outbox().added.push(signature);
        Ok(id)
    }

    /// Stores the state `PROGRESS` with this meta.
    ///
    /// # Errors
    /// As [`Context::update_state`].
    pub async fn progress(&self, meta: impl Serialize) -> Result<(), WorkerError> {
        self.update_state(State::Custom("PROGRESS".to_owned()), meta)
            .await
    }

    /// Stores a state of the task's own with this meta. Does nothing when there is no result backend.
    ///
    /// # Errors
    /// When the meta cannot be encoded, or the message is no longer held by this worker: then somebody else runs the task
    /// or will, and this run should end.
    pub async fn update_state(
        &self,
        state: State,
        meta: impl Serialize,
    ) -> Result<(), WorkerError> {
        let result = to_value(&meta).map_err(|source| WorkerError::Encode {
            what: "the state's meta",
            source,
        })?;
        self.held
            .tell(format!("{state} {}", saferepr(&result, PROGRESS_SHOWN, 3)));
        if !self.engine.stores_results {
            return Ok(());
        }
        let mut settlement = Settlement::new(self.held.tag.clone(), Verdict::Keep);
        settlement.store = Some(meta::meta(&self.engine, &self.held, state, result));
        match self.engine.settle(settlement).await {
            Some(Settled::Refused) | None => Err(WorkerError::NotHeld),
            Some(_) => Ok(()),
        }
    }

    /// Tells monitors something of the task's own, whether the worker sends task events or not; Celery's `self.send_event()`. The kind
    /// is the event's full name, such as `task-progress`; the task's id is added to the fields as `uuid`.
    ///
    /// # Errors
    /// When a field cannot be encoded, or the broker does not take the event.
    pub async fn send_event(&self, kind: &str, mut fields: Map) -> Result<(), WorkerError> {
        fields.insert("uuid", self.id());
        let event = Event::new(events::stamp(&self.engine), kind, fields);
        events::publish_alone(self.client(), &event).await
    }

    /// Whether the run is asked to end: by its soft time limit, a `revoke --terminate` or a cold shutdown.
    ///
    /// A task that asks (here, by [`Context::cancelled`] or [`Context::check`]) is expected to end by itself and has until its
    /// hard time limit; one that never asks is ended by the soft limit at its next await.
    pub fn is_cancelled(&self) -> bool {
        self.observed.store(true, Ordering::Relaxed);
        self.cancellation.is_raised()
    }

    /// Waits until the run is asked to end; see [`Context::is_cancelled`].
    pub async fn cancelled(&self) {
        self.observed.store(true, Ordering::Relaxed);
        self.cancellation.raised().await;
    }

    /// Ends the run with `SoftTimeLimitExceeded` when it is asked to end; for loops of blocking tasks.
    ///
    /// # Errors
    /// The outcome to return, with `?`.
    pub fn check(&self) -> Result<(), Outcome> {
        if self.is_cancelled() {
            Err(Outcome::Fail(Box::new(soft_time_limit_exceeded())))
        } else {
            Ok(())
        }
    }

    /// A retry to be given options and returned: `Err(ctx.retry().countdown(delay).into())`.
    pub fn retry(&self) -> Retry {
        Retry::default()
    }

    pub(crate) fn cancel(&self) {
        self.cancellation.raise();
    }

    /// Waits until the run is asked to end, without counting as the task's own question.
    pub(crate) async fn told_to_end(&self) {
        self.cancellation.raised().await;
    }

    /// Whether the task looks after its own cancellation.
    pub(crate) fn observes_cancellation(&self) -> bool {
        self.observed.load(Ordering::Relaxed)
    }

    /// What the run has sent and added so far: a child process hands it to the worker.
    pub(crate) fn take_sent(&self) -> Sent {
        Sent {
            children: self.children.take(),
            added: self.take_added(),
        }
    }

    /// What the run has sent and added elsewhere.
    pub(crate) fn add_sent(&self, sent: Sent) {
        sent.children
            .into_iter()
            .for_each(|child| self.children.push(child));
        self.outbox().added.extend(sent.added);
    }

    pub(crate) fn children(&self) -> &Children {
        &self.children
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    pub(crate) fn registered(&self, task: &str) -> Option<&Arc<RegisteredTask>> {
        self.engine.registry.get(task)
    }

    /// What this task hands down to those that it sends.
    pub(crate) fn lineage(&self) -> Lineage {
        next::lineage(&self.engine, self.request())
    }

    /// Sends what a signature stands for when the run is settled.
    pub(crate) fn follow_with(&self, applied: Applied) -> Result<(), Outcome> {
        let added = self.outbox().sequel.add(&self.engine, applied);
        added.map_err(|failure| Outcome::Fail(Box::new(failure)))
    }

    /// Does all this when the run is settled.
    pub(crate) fn follow(&self, sequel: Sequel) {
        self.outbox().sequel.append(sequel);
    }

    /// What was added to the task's chord.
    pub(crate) fn take_added(&self) -> Vec<Signature> {
        std::mem::take(&mut self.outbox().added)
    }

    /// What is done when the run is settled.
    pub(crate) fn take_sequel(&self) -> Sequel {
        std::mem::take(&mut self.outbox().sequel)
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn soft_time_limit_exceeded() -> Failure {
    Failure::new("SoftTimeLimitExceeded", "billiard.exceptions", Vec::new())
}
