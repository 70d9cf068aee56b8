//! The client: publishes calls, and opens results, control and events. Cheap to clone.

use std::collections::VecDeque;
use std::sync::Arc;

use broker::{Backends, BrokerError, Publish, ResultBackend};
use protocol::{Map, ResultTuple, Signature, Value};
use tracing::warn;

use crate::canvas::{Applied, Chords, Lineage, Rules, apply};
use crate::prepare::{Prepared, new_id, prepare};
use crate::pressure::Pressure;
use crate::result::Ancestors;
use crate::sent::tell;
use crate::{
    AsyncResult, Call, CallOptions, CanvasResult, ClientError, ClientOptions, Control,
    EventReceiver, GroupResult, PublishRetryPolicy, SharedClock, TaskCall,
};

/// So many messages of a work-flow are published in one round trip.
const BATCH: usize = 1_000;

/// The typed producer.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    backends: Backends,
    options: ClientOptions,
    /// Names this client where replies are sent to.
    oid: String,
    clock: Arc<SharedClock>,
    pressure: Pressure,
}

impl Client {
    /// A client on these backends.
    pub fn new(backends: Backends, options: ClientOptions) -> Self {
        Self(Arc::new(Inner {
            backends,
            pressure: Pressure::new(&options),
            options,
            oid: new_id(),
            clock: Arc::default(),
        }))
    }

    /// What it sends and asks with.
    pub fn backends(&self) -> &Backends {
        &self.0.backends
    }

    /// How it sends.
    pub fn options(&self) -> &ClientOptions {
        &self.0.options
    }

    /// The process's clock.
    pub fn clock(&self) -> &Arc<SharedClock> {
        &self.0.clock
    }

    /// A call of a task by name, to be given arguments and options; `O` is the type of its result.
    pub fn task<O>(&self, name: &str) -> Call<O> {
        Call::new(self.clone(), name)
    }

    /// Sends a call by name, as Celery's `send_task`.
    ///
    /// # Errors
    /// As [`Call::send`].
    pub async fn send_task(
        &self,
        name: &str,
        args: Vec<Value>,
        kwargs: Map,
        options: CallOptions,
    ) -> Result<AsyncResult<Value>, ClientError> {
        self.send_one(TaskCall {
            task: name.to_owned(),
            args,
            kwargs,
            options,
        })
        .await
    }

    /// Sends many calls in one round trip; all or none where the broker can do so.
    ///
    /// # Errors
    /// When one cannot be encoded (then none is sent), or the broker refuses or cannot be reached.
    pub async fn send_all(
        &self,
        calls: Vec<TaskCall>,
    ) -> Result<Vec<AsyncResult<Value>>, ClientError> {
        let policy = calls.iter().find_map(|call| call.options.retry_policy);
        let prepared = calls
            .into_iter()
            .map(|call| self.prepare(call))
            .collect::<Result<Vec<_>, _>>()?;
        self.publish(prepared, policy).await
    }

    /// Sends a signature of any kind: a task, a chain, a group, a chord.
    ///
    /// # Errors
    /// As [`canvas::apply`](crate::canvas::apply) and [`Client::start`].
    pub async fn apply(&self, signature: Signature) -> Result<CanvasResult, ClientError> {
        self.start(self.expand(signature)?).await
    }

    pub(crate) fn expand(&self, signature: Signature) -> Result<Applied, ClientError> {
        let lineage = Lineage {
            rules: self.canvas_rules(),
            ..Lineage::default()
        };
        apply(signature, &[], Vec::new(), &lineage)
    }

    /// Starts what a signature was expanded to: opens its chords, then sends its calls in batches.
    ///
    /// # Errors
    /// When a call cannot be encoded (then nothing is sent), or a server refuses or cannot be reached (then, of very many calls, some
    /// may have been sent).
    pub async fn start(&self, applied: Applied) -> Result<CanvasResult, ClientError> {
        let policy = applied
            .calls
            .iter()
            .find_map(|call| call.options.retry_policy);
        let calls = applied.calls.into_iter();
        let mut prepared = calls
            .map(|call| self.prepare(call))
            .collect::<Result<VecDeque<_>, _>>()?;
        if !applied.chords.is_empty() {
            let opened = self.results()?.open_chords(applied.chords).await;
            opened.map_err(ClientError::broker("open the chord"))?;
        }
        while !prepared.is_empty() {
            let batch = prepared.drain(..BATCH.min(prepared.len())).collect();
            self.publish(batch, policy).await?;
        }
        let ancestors = Ancestors::new(applied.ancestors);
        Ok(CanvasResult::after(self.clone(), applied.result, ancestors))
    }

    /// A saved group; `None` when nothing is saved under this id.
    ///
    /// # Errors
    /// When there is no result backend, it fails, or what is saved is no group.
    pub async fn restore_group<O>(
        &self,
        group_id: &str,
    ) -> Result<Option<GroupResult<O>>, ClientError> {
        let saved = self.results()?.restore_group(group_id).await;
        let Some(saved) = saved.map_err(ClientError::broker("restore the group"))? else {
            return Ok(None);
        };
        let unreadable = |source| ClientError::Decode {
            what: "the saved group",
            source,
        };
        let mut tuple = ResultTuple::from_value(saved).map_err(unreadable)?;
        let ancestors = Ancestors::of(&mut tuple);
        let children = tuple.children.unwrap_or_default();
        Ok(Some(GroupResult::new(
            self.clone(),
            tuple.id,
            children,
            ancestors,
        )))
    }

    /// What the expansion of canvas must know of this client and its backends.
    pub fn canvas_rules(&self) -> Rules {
        let chords = match &self.backends().results {
            None => Chords::Refused,
            Some(results) if results.joins_chords() => Chords::Joined,
            Some(_) => Chords::Polled,
        };
        Rules {
            reply_to: Some(self.0.oid.clone()),
            chords,
            task_allow_error_cb_on_chord_header: self.options().task_allow_error_cb_on_chord_header,
        }
    }

    /// Turns a call into a message without sending it.
    ///
    /// # Errors
    /// When an argument or option cannot be encoded.
    pub fn prepare(&self, call: TaskCall) -> Result<Prepared, ClientError> {
        prepare(self.options(), &self.0.oid, call)
    }

    /// The result of a task that somebody has sent.
    pub fn result<O>(&self, task_id: impl Into<String>) -> AsyncResult<O> {
        AsyncResult::new(self.clone(), task_id.into())
    }

    /// Remote control of workers.
    pub fn control(&self) -> Control {
        Control::new(self.clone())
    }

    /// Listens to events of these routing keys; `#` for all.
    ///
    /// # Errors
    /// When the broker cannot be reached.
    pub async fn events(&self, binding_key: &str) -> Result<EventReceiver, ClientError> {
        EventReceiver::open(self, binding_key).await
    }

    pub(crate) fn results(&self) -> Result<&dyn ResultBackend, ClientError> {
        let results = self.backends().results.as_deref();
        results.ok_or(ClientError::NoResultBackend)
    }

    pub(crate) async fn send_one<O>(&self, call: TaskCall) -> Result<AsyncResult<O>, ClientError> {
        let policy = call.options.retry_policy;
        let prepared = self.prepare(call)?;
        let mut sent = self.publish(vec![prepared], policy).await?;
        Ok(sent.pop().expect("one call gives one result").cast())
    }

    async fn publish(
        &self,
        prepared: Vec<Prepared>,
        policy: Option<PublishRetryPolicy>,
    ) -> Result<Vec<AsyncResult<Value>>, ClientError> {
        let policy = policy.or(self
            .options()
            .task_publish_retry
            .then_some(self.options().task_publish_retry_policy));
        let mut publishes = Vec::with_capacity(prepared.len());
        let mut results = Vec::with_capacity(prepared.len());
        let mut told = Vec::new();
        for Prepared {
            task_id,
            publish,
            sent,
        } in prepared
        {
            publishes.push(publish);
            results.push(AsyncResult::new(self.clone(), task_id));
            told.extend(sent);
        }
        let turn = self.0.pressure.enter().await?;
        let published = self.publish_with(publishes, policy).await;
        drop(turn);
        published.map_err(ClientError::Publish)?;
        for sent in told {
            tell(self, *sent).await;
        }
        Ok(results)
    }

    /// After a lost connection nobody knows whether the server had taken the batch: a repetition may publish twice.
    async fn publish_with(
        &self,
        batch: Vec<Publish>,
        policy: Option<PublishRetryPolicy>,
    ) -> Result<(), BrokerError> {
        let mut retry = 0;
        loop {
            let error = match self.backends().broker.publish(batch.clone()).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let wait = policy
                .and_then(|policy| policy.wait(retry))
                .filter(|_| error.is_transient());
            let Some(wait) = wait else { return Err(error) };
            warn!(%error, retry, ?wait, "publishing failed, trying again");
            tokio::time::sleep(wait).await;
            retry += 1;
        }
    }
}
