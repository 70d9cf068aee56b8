//! The write-ahead log: how large it gets.
//!
//! SQLite itself moves the log into the database with the commit that makes it longer than some thousand pages, and goes on at
//! its start when nobody reads what is in it. That is the rule under load. What is added here is for the rest: after a
//! burst the file is cut, and while readers keep SQLite from beginning anew, the writer waits for a gap between them. There is no gap
//! in one long read transaction of another program; then publishing ends at a bound (`room`).

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::open::LOG_BYTES;

/// A log under this size is left as it is.
const SMALL: u64 = 4 << 20;

/// Between two looks at its size.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long the writer waits for a gap between readers.
const GAP: Duration = Duration::from_millis(20);

/// The write-ahead log of one file.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    looked: Instant,
    busy_timeout: Duration,
}

impl Log {
    /// `busy_timeout`: how long the connection waits for locks at other times.
    pub(crate) fn new(path: PathBuf, busy_timeout: Duration) -> Self {
        Self {
            path,
            looked: Instant::now(),
            busy_timeout,
        }
    }

    /// Nobody has anything to write: cuts the log if it has grown. `false` when others hold that up.
    pub(crate) fn tidy(&mut self, conn: &Connection) -> bool {
        if self.bytes() > SMALL {
            self.checkpoint(conn, "TRUNCATE", GAP);
        }
        self.bytes() <= SMALL
    }

    /// Begins anew at the log's start, as soon as nobody reads what is in it.
    pub(crate) fn restart(&self, conn: &Connection) {
        self.checkpoint(conn, "RESTART", self.busy_timeout);
    }

    /// After a commit: brings a log back that has grown over its size because somebody always reads.
    pub(crate) fn bound(&mut self, conn: &Connection) {
        if self.looked.elapsed() < LOOK_EVERY {
            return;
        }
        if self.bytes() > LOG_BYTES {
            self.checkpoint(conn, "TRUNCATE", GAP);
        }
        self.looked = Instant::now();
    }

    fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |log| log.len())
    }

    fn checkpoint(&self, conn: &Connection, mode: &str, patience: Duration) {
        let attempt = conn
            .busy_timeout(patience)
            .and_then(|()| conn.execute_batch(&format!("PRAGMA wal_checkpoint({mode})")));
        if let Err(error) = attempt.and_then(|()| conn.busy_timeout(self.busy_timeout)) {
            tracing::debug!(%error, "the write-ahead log was not moved into the database");
        }
    }
}
