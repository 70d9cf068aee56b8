//! The one error of the command line, and the exit code that each kind of it ends with.

use broker::BrokerError;
use client::{ClientError, TaskError};
use service::Exit;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Settings, backends, signals.
    #[error(transparent)]
    Service(#[from] service::Error),
    /// The client refused or failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The broker refused or failed.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The task failed, or was not ready in time.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// No worker answered.
    #[error(
        "No nodes replied within time constraint ({0} s); is a worker running on this broker? (see celeriac up, celeriac worker)"
    )]
    NoReply(f64),
    /// The worker that got the task does not have it.
    #[error(
        "{task} is not registered with the worker that got it; {advice} (its message is kept: celeriac parked list)"
    )]
    NotRegistered {
        /// The task's name.
        task: String,
        /// Which workers have it.
        advice: String,
    },
    /// What was asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// What was typed makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A file cannot be read, a program not be started.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// What was read makes no sense.
    #[error("cannot read {what}: {why}")]
    Decode {
        /// What was read.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// The finance domain refused or failed.
    #[error(transparent)]
    Finance(#[from] portfolio::Error),
    /// A provider of market data cannot be used.
    #[error(transparent)]
    MarketData(#[from] market_data::Error),
    /// A report or an export cannot be made.
    #[error(transparent)]
    Reports(#[from] reports::Error),
}

impl Error {
    /// The exit code that the program ends with.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Service(error) => error.exit(),
            Self::NoReply(_) | Self::Task(TaskError::Timeout { .. }) => Exit::Unavailable,
            Self::Usage(_) => Exit::Usage,
            _ if self.is_unreachable() => Exit::Unavailable,
            _ => Exit::Failure,
        }
    }

    fn is_unreachable(&self) -> bool {
        let mut cause: Option<&dyn std::error::Error> = Some(self);
        while let Some(error) = cause {
            if let Some(broker) = error.downcast_ref::<BrokerError>() {
                return broker.is_transient();
            }
            cause = error.source();
        }
        false
    }
}
