//! What can go wrong with the outbox's file, and what to do about it.

use std::io;
use std::path::PathBuf;

use broker::{BrokerError, ErrorKind};
use protocol::EncodeError;

use crate::Totals;

/// Why the outbox cannot be used, or a message not be kept in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// The file or its folder cannot be made, or the sender's lock not be taken.
    #[error("cannot use {path}: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{path} is a SQLite database, but no outbox of this version; choose another path")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error(
        "the outbox {path} is damaged: {detail}; move it away to go on without what waits in it (sqlite3's .recover may save that)"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        detail: String,
    },
    /// A bound was reached.
    #[error(
        "the outbox {path} is full: {} messages with {} bytes wait in it, at most {max_messages} with {max_bytes} may", .totals.messages, .totals.bytes
    )]
    Full {
        /// The file.
        path: PathBuf,
        /// What waits.
        totals: Totals,
        /// Most messages.
        max_messages: u64,
        /// Most bytes.
        max_bytes: u64,
    },
    /// The file failed.
    #[error("the outbox {path} failed: {source}")]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: sqlx::Error,
    },
    /// A message has no form in which it could be kept.
    #[error("cannot encode a message for the outbox: {0}")]
    Encode(#[from] EncodeError),
}

impl From<OutboxError> for BrokerError {
    fn from(error: OutboxError) -> Self {
        let kind = match &error {
            OutboxError::Io { .. } | OutboxError::Database { .. } => ErrorKind::Other,
            OutboxError::Foreign { .. } | OutboxError::Encode(_) => ErrorKind::Invalid,
            OutboxError::Damaged { .. } => ErrorKind::Corrupt,
            OutboxError::Full { .. } => ErrorKind::Full,
        };
        Self::with_source(kind, error.to_string(), error)
    }
}

// SQLite's primary result codes, https://www.sqlite.org/rescode.html.
const BUSY: i32 = 5;
const CORRUPT: i32 = 11;
const NOT_A_DATABASE: i32 = 26;

/// The lower byte of the extended code that SQLite reported.
fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

/// Whether another process holds the file's lock.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(BUSY)
}

/// Whether the file is broken.
pub(crate) fn is_damage(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(CORRUPT | NOT_A_DATABASE))
}
