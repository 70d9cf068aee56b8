//! Why a worker cannot start or go on. What goes wrong in a task is an [`crate::Outcome`], not an error of the worker.

use std::path::PathBuf;
use std::time::Duration;

use broker::BrokerError;

/// Why a worker cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// Two tasks, or a task and an alias, have the same name.
    #[error("task {name:?} is registered more than once")]
    DuplicateTask {
        /// The name.
        name: String,
    },
    /// A command of the application has the name of one of Celery's, or of another.
    #[error("control command {name:?} is there already")]
    DuplicateCommand {
        /// The name.
        name: String,
    },
    /// A setting makes no sense.
    #[error("setting {name} is {value}, but {rule}")]
    Setting {
        /// Celery's name of the setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it must be.
        rule: &'static str,
    },
    /// A task's rate limit cannot be read.
    #[error("the rate limit of task {task} is none")]
    RateLimit {
        /// The task's name.
        task: String,
        /// What is wrong with it.
        #[source]
        source: protocol::DecodeError,
    },
    /// The file that keeps the worker's state cannot be read.
    #[error("cannot restore the worker's state from {}", path.display())]
    StateFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A value has no form on the wire.
    #[error("cannot encode {what}")]
    Encode {
        /// What was to be encoded.
        what: &'static str,
        /// What cannot be written.
        #[source]
        source: protocol::EncodeError,
    },
    /// The message that a run belongs to is no longer held by this worker.
    #[error("the message is no longer held by this worker: the task runs, or will run, elsewhere")]
    NotHeld,
    /// The pool cannot change its size as asked.
    #[error("the pool cannot change its size: {why}")]
    Pool {
        /// Why not.
        why: &'static str,
    },
    /// This process cannot be the child of a worker.
    #[error("a child process is started by its worker, with a socket as its standard input")]
    Child(#[source] std::io::Error),
    /// The worker took nothing although messages were ready and slots were free, and a new consumer did not mend that.
    #[error(
        "messages were ready and slots free, but nothing was taken for {} s, and a new consumer did not help",
        time.as_secs()
    )]
    Stalled {
        /// For how long.
        time: Duration,
    },
    /// The connection to the broker was lost for longer than `broker_connection_max_retries` allow.
    #[error("the connection to the broker was lost {} s ago and did not come back", outage.as_secs())]
    Disconnected {
        /// For how long.
        outage: Duration,
    },
    /// The broker refused something that waiting does not mend.
    #[error("{action} failed")]
    Broker {
        /// What was tried.
        action: &'static str,
        /// What the broker said.
        #[source]
        source: BrokerError,
    },
}

impl WorkerError {
    pub(crate) fn broker(action: &'static str) -> impl FnOnce(BrokerError) -> Self {
        move |source| Self::Broker { action, source }
    }
}
