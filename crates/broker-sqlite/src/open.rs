//! Opening the file: folder, connections, settings, schema.

use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::error::{Result, SqliteError};
use crate::options::{SqliteOptions, Synchronous};
use crate::schema;

/// Pages of the write-ahead log after which a commit moves them into the database.
const CHECKPOINT_PAGES: u32 = 4_000;

/// Bytes that the write-ahead log keeps when it is used again from its start.
pub(crate) const LOG_BYTES: u64 = 64 << 20;

const PAGE_BYTES: u64 = 4_096;

/// More than there are statements: each stays prepared.
const STATEMENTS: usize = 128;

/// KiB of pages that a connection that reads keeps; the writer has SQLite's default.
const READERS_CACHE: u32 = 256;

/// Several processes may open a new file at once; SQLite's own waiting does not cover the change to a write-ahead log.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens the connection that writes, with the schema in place. It may wait for another process.
pub(crate) fn open_writer(options: &SqliteOptions) -> Result<Connection> {
    prepare_folder(options)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match try_open(options) {
            Err(error) if error.is_busy() && Instant::now() < deadline => {
                sleep(Duration::from_millis(20))
            }
            Err(SqliteError::Database(source)) => {
                return Err(SqliteError::Open {
                    path: options.path.clone(),
                    source,
                });
            }
            outcome => return outcome,
        }
    }
}

/// Opens a connection that reads. The file exists by now.
pub(crate) fn open_reader(options: &SqliteOptions) -> Result<Connection> {
    let conn = connect(options, OpenFlags::empty())?;
    conn.execute_batch(&format!(
        "PRAGMA query_only = ON; PRAGMA cache_size = -{READERS_CACHE};"
    ))?;
    Ok(conn)
}

fn prepare_folder(options: &SqliteOptions) -> Result<()> {
    let path = &options.path;
    if !options.create {
        return if path.exists() {
            Ok(())
        } else {
            Err(SqliteError::Missing { path: path.clone() })
        };
    }
    match path.parent() {
        Some(folder) if folder != Path::new("") => {
            std::fs::create_dir_all(folder).map_err(|source| SqliteError::Folder {
                path: folder.to_owned(),
                source,
            })
        }
        _ => Ok(()),
    }
}

fn try_open(options: &SqliteOptions) -> Result<Connection> {
    let create = match options.create {
        true => OpenFlags::SQLITE_OPEN_CREATE,
        false => OpenFlags::empty(),
    };
    let mut conn = connect(options, create)?;
    // Before anything is changed: the file may be somebody else's. One transaction, so that a file that another process
    // is just making looks either empty or made.
    let look = conn.transaction()?;
    schema::check(&look, &options.path)?;
    look.rollback()?;
    conn.execute_batch("PRAGMA journal_mode = WAL;")?;
    let change = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    schema::migrate(&change, &options.path)?;
    change.commit()?;
    Ok(conn)
}

fn connect(options: &SqliteOptions, create: OpenFlags) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | create;
    let conn =
        Connection::open_with_flags(&options.path, flags).map_err(|error| SqliteError::Open {
            path: options.path.clone(),
            source: Arc::new(error),
        })?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.busy_timeout(options.busy_timeout)?;
    conn.execute_batch(&settings(options))?;
    Ok(conn)
}

fn settings(options: &SqliteOptions) -> String {
    let synchronous = match options.synchronous {
        Synchronous::Normal => "NORMAL",
        Synchronous::Full => "FULL",
    };
    let mut settings = format!(
        "PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = OFF; \
         PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}; PRAGMA journal_size_limit = {LOG_BYTES};"
    );
    if let Some(bytes) = options.max_size {
        settings += &format!(" PRAGMA max_page_count = {};", (bytes / PAGE_BYTES).max(1));
    }
    settings
}
