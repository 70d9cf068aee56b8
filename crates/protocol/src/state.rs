//! Task states, their sets and their precedence.

use std::cmp::Reverse;
use std::fmt;

/// The state of a task.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum State {
    /// Unknown or not yet run; never stored.
    Pending,
    /// Taken by a worker; seen in events only.
    Received,
    /// Running.
    Started,
    /// Done.
    Success,
    /// Failed for good.
    Failure,
    /// Cancelled, expired or terminated.
    Revoked,
    /// Refused by the task.
    Rejected,
    /// Failed, and will run again.
    Retry,
    /// The task asked that nothing be stored.
    Ignored,
    /// A state of the user's own, such as `PROGRESS`.
    Custom(String),
}

impl State {
    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "PENDING",
            Self::Received => "RECEIVED",
            Self::Started => "STARTED",
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
            Self::Revoked => "REVOKED",
            Self::Rejected => "REJECTED",
            Self::Retry => "RETRY",
            Self::Ignored => "IGNORED",
            Self::Custom(name) => name,
        }
    }

    /// True when the state is final: SUCCESS, FAILURE, REVOKED.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Success | Self::Failure | Self::Revoked)
    }

    /// True when the result is an exception map: RETRY, FAILURE, REVOKED.
    pub fn is_exception(&self) -> bool {
        matches!(self, Self::Retry | Self::Failure | Self::Revoked)
    }

    /// True when the exception is raised to whoever waits: FAILURE, REVOKED.
    pub fn is_propagated(&self) -> bool {
        matches!(self, Self::Failure | Self::Revoked)
    }

    /// Rank among the states, 0 the strongest: of two states seen out of order the lower rank holds.
    pub fn precedence(&self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Ignored | Self::Custom(_) => 2,
            Self::Revoked => 3,
            Self::Started => 4,
            Self::Received => 5,
            Self::Rejected => 6,
            Self::Retry => 7,
            Self::Pending => 8,
        }
    }

    /// The stronger of two states.
    #[must_use]
    pub fn stronger(self, other: Self) -> Self {
        std::cmp::max_by_key(other, self, |state| Reverse(state.precedence()))
    }
}

impl From<&str> for State {
    fn from(name: &str) -> Self {
        match name {
            "PENDING" => Self::Pending,
            "RECEIVED" => Self::Received,
            "STARTED" => Self::Started,
            "SUCCESS" => Self::Success,
            "FAILURE" => Self::Failure,
            "REVOKED" => Self::Revoked,
            "REJECTED" => Self::Rejected,
            "RETRY" => Self::Retry,
            "IGNORED" => Self::Ignored,
            custom => Self::Custom(custom.to_owned()),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
