//! Errors of the client. What a task raised is [`TaskError`], which is part of [`ClientError`] where a result is awaited.

use std::time::Duration;

use broker::BrokerError;
use protocol::{DecodeError, EncodeError, ExceptionInfo, State};

/// Why a call could not be sent, or its result not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The arguments or an option have no form on the wire.
    #[error("cannot encode the call of {task}")]
    Encode {
        /// The task's name.
        task: String,
        /// What cannot be written.
        #[source]
        source: EncodeError,
    },
    /// The arguments are not a map of named values.
    #[error("the arguments of {task} are {found}, but keyword arguments must be a struct or a map")]
    NotKeywords {
        /// The task's name.
        task: String,
        /// What they are.
        found: &'static str,
    },
    /// Only the first argument can be the result of a step before.
    #[error("{field} is not the first argument of {task}")]
    NotTheFirstArgument {
        /// The task's name.
        task: String,
        /// The field's name.
        field: &'static str,
    },
    /// A time lies outside the years that can be written.
    #[error("{option} of {task} is out of range")]
    TimeOutOfRange {
        /// The option: `countdown` or `expires`.
        option: &'static str,
        /// The task's name.
        task: String,
    },
    /// The broker refused, or could not be reached within the retry policy.
    #[error("cannot publish")]
    Publish(#[source] BrokerError),
    /// The broker does not keep up with what is published here.
    #[error(
        "{limit} publications are under way (celeriac_publish_limit) and none has ended within {patience:?} (celeriac_publish_patience)"
    )]
    Congested {
        /// How many may be under way.
        limit: usize,
        /// How long this one has waited.
        patience: Duration,
    },
    /// Asking or listening failed.
    #[error("cannot {action}")]
    Broker {
        /// What was tried.
        action: &'static str,
        /// What the broker said.
        #[source]
        source: BrokerError,
    },
    /// There is no result backend.
    #[error("no result backend is configured: set result_backend")]
    NoResultBackend,
    /// There is a chord, or a group with a step after it, and no result backend to count its members.
    #[error(
        "starting chords requires a result backend to be configured; note that a group chained with a task is also upgraded to be a chord, as this pattern requires synchronization"
    )]
    ChordsNeedResults,
    /// Nobody could read such messages.
    #[error("the canvas is nested more than {} deep", crate::canvas::MAX_NESTING)]
    CanvasTooDeep,
    /// A step has one result, a group several.
    #[error(
        "the canvas ends in a group, whose results are several: apply its signature with the client"
    )]
    EndsInAGroup,
    /// There is nothing to send.
    #[error("a chain without tasks")]
    EmptyChain,
    /// What came back cannot be read.
    #[error("cannot read {what}")]
    Decode {
        /// What was read.
        what: &'static str,
        /// What is wrong with it.
        #[source]
        source: DecodeError,
    },
}

impl ClientError {
    pub(crate) fn broker(action: &'static str) -> impl FnOnce(BrokerError) -> Self {
        move |source| Self::Broker { action, source }
    }
}

/// Why a task has no result to give.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// The task failed; the text is the remote exception's.
    #[error("{exception}")]
    Failed {
        /// The remote exception.
        exception: RemoteException,
        /// The remote traceback, if there was one.
        traceback: Option<String>,
    },
    /// The task was revoked, expired or terminated, which the exception's message tells.
    #[error("{exception}")]
    Revoked {
        /// The remote exception.
        exception: RemoteException,
    },
    /// The task was not ready in time.
    #[error("task {id} is {state} and was not ready within {timeout:?}")]
    Timeout {
        /// The task's id.
        id: String,
        /// Its last known state.
        state: State,
        /// How long was waited.
        timeout: Duration,
    },
    /// The result cannot be had.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// An exception as a worker stored it; shown as Python does: `ValueError: text`.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteException(pub ExceptionInfo);

impl std::fmt::Display for RemoteException {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = crate::text::exception_text(&self.0);
        f.write_str(&self.0.exc_type)?;
        if text.is_empty() {
            Ok(())
        } else {
            write!(f, ": {text}")
        }
    }
}
