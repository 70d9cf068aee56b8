//! The one error of every broker and result backend. No server's own types show in it.

use std::error::Error;

/// What kind of thing went wrong, for callers that branch on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The server cannot be reached, or the connection was lost.
    Unreachable,
    /// The server refused the credentials.
    Denied,
    /// The server has no room left: memory, disk or a configured bound.
    Full,
    /// The server or its disk accepts no writes.
    ReadOnly,
    /// Something named does not exist: a database file, a queue, a lease.
    NotFound,
    /// What was asked for is wrong: a URL, an option, a message over its bound.
    Invalid,
    /// What is stored cannot be understood.
    Corrupt,
    /// The lease is not, or no longer, the caller's.
    Fenced,
    /// The server is shutting down or this connection was closed on purpose.
    Closed,
    /// Everything else.
    Other,
}

/// A failed operation on a broker or result backend.
///
/// The text says what was tried, what went wrong and, where it is known, what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct BrokerError {
    kind: ErrorKind,
    message: String,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl BrokerError {
    /// An error of its own making.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// An error with the cause kept.
    pub fn with_source(
        kind: ErrorKind,
        message: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            message: message.into(),
            source: Some(source.into()),
        }
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Unreachable | ErrorKind::Full)
    }
}

impl From<protocol::DecodeError> for BrokerError {
    fn from(error: protocol::DecodeError) -> Self {
        Self::with_source(
            ErrorKind::Corrupt,
            format!("cannot read what is stored: {error}"),
            error,
        )
    }
}

impl From<protocol::EncodeError> for BrokerError {
    fn from(error: protocol::EncodeError) -> Self {
        Self::with_source(ErrorKind::Invalid, format!("cannot encode: {error}"), error)
    }
}

/// The result of every call across the seam.
pub type Result<T, E = BrokerError> = std::result::Result<T, E>;
