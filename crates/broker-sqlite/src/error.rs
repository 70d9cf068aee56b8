//! What can go wrong with the broker's file, and what an operator can do about it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use broker::{BrokerError, ErrorKind};
use protocol::{DecodeError, EncodeError};

/// A failure of the embedded broker, before it becomes the seam's [`BrokerError`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum SqliteError {
    #[error("{0}")]
    Url(String),
    #[error(
        "cannot create the folder {path}: {source}; create it, or choose another place for the broker's file"
    )]
    Folder { path: PathBuf, source: io::Error },
    #[error(
        "cannot write {path}: {source}; the broker needs write access to its file and to the folder around it"
    )]
    Bell { path: PathBuf, source: io::Error },
    #[error("cannot start the thread that writes the broker's file: {0}")]
    Thread(#[source] io::Error),
    #[error("there is no broker file at {path}; leave out `mode=rw` to have it created")]
    Missing { path: PathBuf },
    #[error(
        "{path} is a SQLite database, but not a broker's (application id {found}); choose another path"
    )]
    Foreign { path: PathBuf, found: i32 },
    #[error(
        "{path} has schema version {found}, and this program knows versions up to {known}; use the newer program"
    )]
    Newer {
        path: PathBuf,
        found: i32,
        known: i32,
    },
    #[error("cannot open {path}: {}", explain(.source))]
    Open {
        path: PathBuf,
        source: Arc<rusqlite::Error>,
    },
    #[error("the broker's file failed: {}", explain(.0))]
    Database(#[source] Arc<rusqlite::Error>),
    #[error(
        "the disk of {path} has {free} bytes left, and the last {kept} are kept for finishing what is queued; free space"
    )]
    NoRoom { path: PathBuf, free: u64, kept: u64 },
    #[error(
        "{path} has grown to {bytes} bytes: another program reads the broker's file in one long transaction; end it"
    )]
    LongLog { path: PathBuf, bytes: u64 },
    #[error("cannot read what is stored: {0}")]
    Decode(#[from] DecodeError),
    #[error("cannot encode: {0}")]
    Encode(#[from] EncodeError),
    #[error("cannot write a list of values as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    Invalid(String),
    #[error("this broker was closed")]
    Closed,
}

pub(crate) type Result<T, E = SqliteError> = std::result::Result<T, E>;

impl From<rusqlite::Error> for SqliteError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl SqliteError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Url(_) | Self::Invalid(_) | Self::Encode(_) | Self::Json(_) => ErrorKind::Invalid,
            Self::Folder { source, .. } | Self::Bell { source, .. } => kind_of_io(source),
            Self::Missing { .. } => ErrorKind::NotFound,
            Self::Foreign { .. } | Self::Newer { .. } => ErrorKind::Invalid,
            Self::Open { source, .. } | Self::Database(source) => kind_of(source),
            Self::NoRoom { .. } | Self::LongLog { .. } => ErrorKind::Full,
            Self::Thread(_) => ErrorKind::Other,
            Self::Decode(_) => ErrorKind::Corrupt,
            Self::Closed => ErrorKind::Closed,
        }
    }

    /// The same failure of the file once more, for another request that it met.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Database(source) => Self::Database(source.clone()),
            other => Self::Invalid(other.to_string()),
        }
    }

    /// Whether there is no room.
    pub(crate) fn is_full(&self) -> bool {
        self.kind() == ErrorKind::Full
    }

    /// Whether another process holds the file's lock.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self, Self::Database(source) | Self::Open { source, .. } if primary_code(source) == Some(BUSY))
    }
}

impl From<SqliteError> for BrokerError {
    fn from(error: SqliteError) -> Self {
        Self::with_source(error.kind(), error.to_string(), error)
    }
}

// SQLite's primary result codes, https://www.sqlite.org/rescode.html.
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READ_ONLY: i32 = 8;
const IO_ERROR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANNOT_OPEN: i32 = 14;
const TOO_BIG: i32 = 18;
const NOT_A_DATABASE: i32 = 26;

/// The lower byte of the extended code that SQLite reported.
fn primary_code(error: &rusqlite::Error) -> Option<i32> {
    Some(error.sqlite_error()?.extended_code & 0xff)
}

fn kind_of(error: &rusqlite::Error) -> ErrorKind {
    match primary_code(error) {
        Some(BUSY | LOCKED) => ErrorKind::Unreachable,
        Some(READ_ONLY) => ErrorKind::ReadOnly,
        Some(FULL | IO_ERROR) => ErrorKind::Full,
        Some(CORRUPT | NOT_A_DATABASE) => ErrorKind::Corrupt,
        Some(CANNOT_OPEN) => ErrorKind::NotFound,
        Some(TOO_BIG) => ErrorKind::Invalid,
        _ => ErrorKind::Other,
    }
}

fn kind_of_io(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => ErrorKind::ReadOnly,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Full,
        _ => ErrorKind::NotFound,
    }
}

/// SQLite's own words, and what to do.
fn explain(error: &rusqlite::Error) -> String {
    let words = match error {
        rusqlite::Error::SqliteFailure(_, Some(words)) => words.clone(),
        _ => error.to_string(),
    };
    match remedy(error) {
        Some(remedy) => format!("{words}; {remedy}"),
        None => words,
    }
}

fn remedy(error: &rusqlite::Error) -> Option<&'static str> {
    Some(match primary_code(error)? {
        BUSY | LOCKED => {
            "another process keeps the file locked: look for one that is stopped or hangs"
        }
        READ_ONLY => "make the file, its folder and its disk writable",
        FULL => {
            "the disk or the configured max_size is full: free space, nothing that was stored is lost"
        }
        IO_ERROR => "the disk refuses: look at its free space and at the system's log",
        CORRUPT => {
            "the file is damaged: stop all processes, keep a copy, and try `sqlite3 FILE .recover`"
        }
        NOT_A_DATABASE => {
            "the file is not a SQLite database: choose another path, or move the file away"
        }
        CANNOT_OPEN => "check that the path is a file in a folder that can be entered and written",
        TOO_BIG => "the message is over SQLite's bound of 1,000,000,000 bytes",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rusqlite::{Connection, OpenFlags};

    use super::*;

    #[test]
    fn a_refusing_disk_is_told_apart_from_a_missing_folder() {
        let refused = |kind| {
            SqliteError::Folder {
                path: "/x".into(),
                source: io::Error::from(kind),
            }
            .kind()
        };
        assert_eq!(
            refused(io::ErrorKind::ReadOnlyFilesystem),
            ErrorKind::ReadOnly
        );
        assert_eq!(refused(io::ErrorKind::StorageFull), ErrorKind::Full);
        assert_eq!(refused(io::ErrorKind::NotADirectory), ErrorKind::NotFound);
    }

    #[test]
    fn a_file_that_takes_no_writes_is_read_only() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let conn =
            Connection::open_with_flags(file.path(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let refused = conn.execute("CREATE TABLE t (a)", []).unwrap_err();
        let error = BrokerError::from(SqliteError::from(refused));
        assert_eq!(error.kind(), ErrorKind::ReadOnly);
        assert!(
            error
                .to_string()
                .contains("make the file, its folder and its disk writable"),
            "{error}"
        );
    }
}
