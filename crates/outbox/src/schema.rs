//! Opening the file: folder, settings, tables, and whether it is sound.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, SqliteConnection};

use crate::OutboxError;
use crate::error::{is_busy, is_damage};

/// "cob" and a version of the file's form; set by `schema.sql`.
const APPLICATION_ID: i32 = 1_668_247_650;
const VERSION: i32 = 1;

/// Several processes may make the file at once, and SQLite's own waiting does not cover the change to a write-ahead log.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens the file, which is made when it is not there. Every commit is on the disk when it returns.
pub(crate) async fn open(path: &Path) -> Result<SqliteConnection, OutboxError> {
    if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
        std::fs::create_dir_all(folder).map_err(|source| OutboxError::Io {
            path: folder.to_owned(),
            source,
        })?;
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        match try_open(path).await {
            Err(Fault::Database(error)) if is_busy(&error) && Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(fault) => return Err(fault.explain(path)),
            Ok(connection) => return Ok(connection),
        }
    }
}

/// What is wrong with a file.
enum Fault {
    Database(sqlx::Error),
    Foreign,
    Damaged(String),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl Fault {
    fn explain(self, path: &Path) -> OutboxError {
        let path = path.to_owned();
        match self {
            Self::Foreign => OutboxError::Foreign { path },
            Self::Damaged(detail) => OutboxError::Damaged { path, detail },
            Self::Database(error) => explain(&path, error),
        }
    }
}

/// A failure of the file, told apart from damage.
pub(crate) fn explain(path: &Path, source: sqlx::Error) -> OutboxError {
    let path = path.to_owned();
    match is_damage(&source) {
        true => OutboxError::Damaged {
            path,
            detail: source.to_string(),
        },
        false => OutboxError::Database { path, source },
    }
}

async fn try_open(path: &Path) -> Result<SqliteConnection, Fault> {
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .busy_timeout(PATIENCE)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
        .connect()
        .await?;
    check(&mut connection).await?;
    sqlx::query("PRAGMA journal_mode = WAL")
        .execute(&mut connection)
        .await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    if check(&mut transaction).await? == 0 {
        transaction
            .execute(sqlx::raw_sql(include_str!("schema.sql")))
            .await?;
    }
    transaction.commit().await?;
    Ok(connection)
}

/// The version of the file's form; 0 for an empty file.
async fn check(connection: &mut SqliteConnection) -> Result<i32, Fault> {
    let sound: String = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(&mut *connection)
        .await?;
    if sound != "ok" {
        return Err(Fault::Damaged(sound));
    }
    let application: i32 = number(connection, "PRAGMA application_id").await?;
    let version: i32 = number(connection, "PRAGMA user_version").await?;
    let tables: i32 = number(connection, "SELECT count(*) FROM sqlite_schema").await?;
    match (application, version, tables) {
        (APPLICATION_ID, VERSION, _) => Ok(VERSION),
        (0, 0, 0) => Ok(0),
        _ => Err(Fault::Foreign),
    }
}

async fn number(
    connection: &mut SqliteConnection,
    query: &'static str,
) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar(query).fetch_one(connection).await
}
