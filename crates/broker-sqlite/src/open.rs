//! Opening the file: folder, connections, settings, schema.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};
use tokio::time::sleep;

use crate::error::{Result, SqliteError};
use crate::options::{SqliteOptions, Synchronous};
use crate::schema;

/// Connections for reading.
const READERS: u32 = 4;

/// Pages of the write-ahead log after which a commit moves them into the database.
const CHECKPOINT_PAGES: &str = "4000";

/// Bytes that the write-ahead log keeps when it is used again from its start.
const LOG_BYTES: &str = "67108864";

const PAGE_BYTES: u64 = 4096;

/// Several processes may open a new file at once; SQLite's own waiting does not cover the change to a write-ahead log.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens the connection that writes, with the schema in place.
pub(crate) async fn open_writer(options: &SqliteOptions) -> Result<SqliteConnection> {
    prepare_folder(options)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match try_open(options).await {
            Err(error) if error.is_busy() && Instant::now() < deadline => {
                sleep(Duration::from_millis(20)).await
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

/// Opens the connections that read. The file exists by now.
pub(crate) fn open_readers(options: &SqliteOptions) -> SqlitePool {
    let connect = connect_options(options)
        .create_if_missing(false)
        .pragma("query_only", "ON");
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .connect_lazy_with(connect)
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

async fn try_open(options: &SqliteOptions) -> Result<SqliteConnection> {
    let mut conn = connect_options(options)
        .connect()
        .await
        .map_err(|error| SqliteError::Open {
            path: options.path.clone(),
            source: Arc::new(error),
        })?;
    // Before anything is changed: the file may be somebody else's. One transaction, so that a file that another process
    // is just making looks either empty or made.
    let mut tx = conn.begin().await?;
    schema::check(&mut tx, &options.path).await?;
    tx.rollback().await?;
    sqlx::query("PRAGMA journal_mode = WAL")
        .execute(&mut conn)
        .await?;
    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
    schema::migrate(&mut tx, &options.path).await?;
    tx.commit().await?;
    Ok(conn)
}

fn connect_options(options: &SqliteOptions) -> SqliteConnectOptions {
    let synchronous = match options.synchronous {
        Synchronous::Normal => SqliteSynchronous::Normal,
        Synchronous::Full => SqliteSynchronous::Full,
    };
    let connect = SqliteConnectOptions::new()
        .filename(&options.path)
        .create_if_missing(options.create)
        .busy_timeout(options.busy_timeout)
        .synchronous(synchronous)
        .foreign_keys(false)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("journal_size_limit", LOG_BYTES)
        .row_buffer_size(512)
        .disable_statement_logging();
    match options.max_size {
        Some(bytes) => connect.pragma("max_page_count", (bytes / PAGE_BYTES).max(1).to_string()),
        None => connect,
    }
}
