//! One call of a task as data: name, arguments, options. How it becomes a message is in `prepare`.

use std::time::Duration;

use broker::ExchangeKind;
use jiff::Timestamp;
use protocol::{Codec, Compression, Embed, Map, Value};

use crate::PublishRetryPolicy;

/// A call of a task by name.
#[derive(Clone, Debug, Default)]
pub struct TaskCall {
    /// The task's registered name.
    pub task: String,
    /// Positional arguments.
    pub args: Vec<Value>,
    /// Keyword arguments.
    pub kwargs: Map,
    /// Everything else.
    pub options: CallOptions,
}

impl TaskCall {
    /// A call without arguments.
    pub fn new(task: impl Into<String>) -> Self {
        Self {
            task: task.into(),
            ..Self::default()
        }
    }
}

/// What `apply_async` takes besides arguments; what is not set is left to routes and defaults.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallOptions {
    /// The task's id; a random UUID unless set.
    pub task_id: Option<String>,
    /// Run this long after sending. Zero counts as not set.
    pub countdown: Option<Duration>,
    /// Run not before.
    pub eta: Option<Timestamp>,
    /// Start not later than.
    pub expires: Option<Expires>,
    /// 0 to 9; what comes first is the broker's business (see [`broker::Capabilities`]).
    pub priority: Option<u8>,
    /// The queue.
    pub queue: Option<String>,
    /// The exchange.
    pub exchange: Option<String>,
    /// The exchange's type.
    pub exchange_type: Option<ExchangeKind>,
    /// The routing key.
    pub routing_key: Option<String>,
    /// Further headers.
    pub headers: Map,
    /// How publishing is repeated when the connection is lost; the client's policy unless set.
    pub retry_policy: Option<PublishRetryPolicy>,
    /// Store no result.
    pub ignore_result: Option<bool>,
    /// What follows: `link`, `link_error`, the remaining steps of a chain, a chord's body.
    pub embed: Embed,
    /// Hard time limit in seconds.
    pub time_limit: Option<f64>,
    /// Soft time limit in seconds.
    pub soft_time_limit: Option<f64>,
    /// The serializer of the body.
    pub serializer: Option<Codec>,
    /// The compression of the body.
    pub compression: Option<Compression>,
    /// The name shown in logs and events.
    pub shadow: Option<String>,
    /// The group that the task belongs to.
    pub group_id: Option<String>,
    /// Its position in the group.
    pub group_index: Option<i64>,
    /// The first task of the work-flow; the task itself unless set.
    pub root_id: Option<String>,
    /// The task that sends this one.
    pub parent_id: Option<String>,
    /// Where `rpc://` results go.
    pub reply_to: Option<String>,
    /// Stamp name to value.
    pub stamps: Map,
    /// How often the task was retried before.
    pub retries: u32,
    /// Depth of replacement.
    pub replaced_task_nesting: u32,
    /// The task whose route it takes, if that is not its own.
    pub route_name: Option<String>,
}

/// The latest start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expires {
    /// At this time.
    At(Timestamp),
    /// This long after sending.
    After(Duration),
}

impl From<Timestamp> for Expires {
    fn from(at: Timestamp) -> Self {
        Self::At(at)
    }
}

impl From<Duration> for Expires {
    fn from(after: Duration) -> Self {
        Self::After(after)
    }
}
