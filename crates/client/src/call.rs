//! The typed call: a [`TaskCall`] with a client and the type of its result.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use protocol::{Codec, Compression, Key, ResultTuple, Signature, Value, to_value};
use serde::Serialize;

use crate::{AsyncResult, CallOptions, Client, ClientError, Expires, PublishRetryPolicy, TaskCall};

/// A call that is being prepared; `O` is the type of the task's result.
#[derive(Debug)]
#[must_use = "a call does nothing until it is sent"]
pub struct Call<O> {
    client: Client,
    call: TaskCall,
    fault: Option<ClientError>,
    children: Option<Children>,
    output: PhantomData<fn() -> O>,
}

/// The tasks that a running task has sent.
#[derive(Clone, Debug, Default)]
pub struct Children(Arc<Mutex<Vec<ResultTuple>>>);

impl Children {
    /// Adds one.
    pub fn push(&self, child: ResultTuple) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(child);
    }

    /// Takes all of them out.
    pub fn take(&self) -> Vec<ResultTuple> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

macro_rules! option {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {$(
        $(#[$doc])*
        pub fn $name(mut self, value: impl Into<$type>) -> Self {
            self.call.options.$name = Some(value.into());
            self
        }
    )*};
}

impl<O> Call<O> {
    pub(crate) fn new(client: Client, task: &str) -> Self {
        Self {
            client,
            call: TaskCall::new(task),
            fault: None,
            children: None,
            output: PhantomData,
        }
    }

    option! {
        /// The task's id; random unless set.
        task_id: String;
        /// Run this long after sending.
        countdown: Duration;
        /// Run not before.
        eta: Timestamp;
        /// Start not later than a [`Timestamp`], or a [`Duration`] after sending.
        expires: Expires;
        /// 0 to 9.
        priority: u8;
        /// The queue.
        queue: String;
        /// The exchange.
        exchange: String;
        /// The routing key.
        routing_key: String;
        /// How publishing is repeated.
        retry_policy: PublishRetryPolicy;
        /// Store no result.
        ignore_result: bool;
        /// Hard time limit in seconds.
        time_limit: f64;
        /// Soft time limit in seconds.
        soft_time_limit: f64;
        /// The serializer of the body.
        serializer: Codec;
        /// The compression of the body.
        compression: Compression;
        /// The name shown in logs and events.
        shadow: String;
        /// The group that the task belongs to.
        group_id: String;
        /// Its position in the group.
        group_index: i64;
        /// The first task of the work-flow.
        root_id: String;
        /// The task that sends this one.
        parent_id: String;
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<Key>, value: impl Into<Value>) -> Self {
        self.call.options.headers.insert(name, value);
        self
    }

    /// Adds headers.
    pub fn headers(mut self, headers: protocol::Map) -> Self {
        self.call.options.headers.extend(headers);
        self
    }

    /// Adds a task to be called with the result.
    pub fn link(mut self, signature: Signature) -> Self {
        self.call
            .options
            .embed
            .callbacks
            .get_or_insert_default()
            .push(signature);
        self
    }

    /// Adds a task to be called when this one has failed.
    pub fn link_error(mut self, signature: Signature) -> Self {
        self.call
            .options
            .embed
            .errbacks
            .get_or_insert_default()
            .push(signature);
        self
    }

    /// Adds a positional argument.
    pub fn arg(mut self, value: impl Serialize) -> Self {
        if let Some(value) = self.encode(&value) {
            self.call.args.push(value);
        }
        self
    }

    /// Adds a keyword argument.
    pub fn kwarg(mut self, name: impl Into<Key>, value: impl Serialize) -> Self {
        if let Some(value) = self.encode(&value) {
            self.call.kwargs.insert(name, value);
        }
        self
    }

    /// Adds the fields of a struct, or the entries of a map, as keyword arguments.
    pub fn kwargs(mut self, arguments: &impl Serialize) -> Self {
        match self.encode(arguments) {
            Some(Value::Map(map)) => self.call.kwargs.extend(map),
            Some(Value::Null) | None => {}
            Some(other) => {
                let task = self.call.task.clone();
                self.fault.get_or_insert(ClientError::NotKeywords {
                    task,
                    found: other.type_name(),
                });
            }
        }
        self
    }

    /// Replaces all options.
    pub fn with_options(mut self, options: CallOptions) -> Self {
        self.call.options = options;
        self
    }

    /// Notes the task in this list when it was sent; Celery's `add_to_parent`.
    pub fn add_to(mut self, children: Children) -> Self {
        self.children = Some(children);
        self
    }

    /// The call as data, for [`Client::send_all`].
    ///
    /// # Errors
    /// When an argument cannot be encoded.
    pub fn build(self) -> Result<TaskCall, ClientError> {
        self.fault.map_or(Ok(self.call), Err)
    }

    /// Publishes the call and returns when the broker has confirmed it.
    ///
    /// # Errors
    /// When an argument cannot be encoded, or the broker refuses or cannot be reached within the retry policy.
    pub async fn send(self) -> Result<AsyncResult<O>, ClientError> {
        let (client, children) = (self.client.clone(), self.children.clone());
        let result = client.send_one(self.build()?).await?;
        if let Some(children) = children {
            children.push(ResultTuple::task(result.id()));
        }
        Ok(result)
    }

    fn encode(&mut self, value: &impl Serialize) -> Option<Value> {
        to_value(value)
            .map_err(|source| {
                let task = self.call.task.clone();
                self.fault
                    .get_or_insert(ClientError::Encode { task, source });
            })
            .ok()
    }
}
