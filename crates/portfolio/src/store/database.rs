//! The two servers: connections, transactions, and what their errors mean to a person.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};

use super::{Store, price_file};
use crate::error::{Error, Result};

/// Connections of one process.
const CONNECTIONS: u32 = 4;
/// Pages of a SQLite database that a connection keeps, in KiB: those of a transaction that writes thousands of rows.
const PAGE_CACHE: &str = "-8192";
/// Pages after which SQLite's write-ahead log is folded into the file: often enough for a short log, seldom enough that
/// pages which many transactions write are folded in once.
const FOLDED_AFTER: &str = "8192";
/// How long a statement waits for a connection.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one connection more may take that says why there is none.
const LAST_TRY: Duration = Duration::from_secs(2);

/// Connections to the server in use.
#[derive(Clone, Debug)]
pub(super) enum Pools {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// One transaction; dropped without [`Store::commit`] it is rolled back.
pub(crate) enum Transaction {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Store {
    pub(super) async fn connect(path: &Path, options: SqliteConnectOptions) -> Result<Store> {
        let name = path.display().to_string();
        if path.is_dir() {
            return Err(Error::DatabaseFolder(name));
        }
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE);
        let pool = pool
            .connect_with(options)
            .await
            .map_err(|error| classify(&name, error))?;
        let prices = price_file::beside(path).into();
        Store::migrated(Pools::Sqlite(pool), name, Some(prices)).await
    }

    pub(super) async fn connect_postgres(url: &str) -> Result<Store> {
        let options: PgConnectOptions = url
            .parse()
            .map_err(|source| Error::DatabaseUrl { source })?;
        let options = options.disable_statement_logging();
        let name = format!(
            "postgresql://{}@{}:{}/{}",
            options.get_username(),
            options.get_host(),
            options.get_port(),
            options.get_database().unwrap_or_default()
        );
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE);
        let pool = match pool.connect_with(options.clone()).await {
            Err(sqlx::Error::PoolTimedOut) => {
                return Err(classify(&name, why_not(&options).await));
            }
            connected => connected.map_err(|error| classify(&name, error))?,
        };
        Store::migrated(Pools::Postgres(pool), name, None).await
    }

    async fn migrated(pools: Pools, name: String, price_file: Option<Arc<Path>>) -> Result<Store> {
        let store = Store {
            pools,
            name,
            price_file,
        };
        store.migrate().await?;
        Ok(store)
    }

    /// Waits until all connections are closed; SQLite's write-ahead log is folded into the file.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite(pool) => pool.close().await,
            Pools::Postgres(pool) => pool.close().await,
        }
    }

    /// Starts a transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Transaction> {
        let begun = match &self.pools {
            Pools::Sqlite(pool) => pool
                .begin_with("BEGIN IMMEDIATE")
                .await
                .map(Transaction::Sqlite),
            Pools::Postgres(pool) => pool.begin().await.map(Transaction::Postgres),
        };
        begun.map_err(|error| self.failed(error))
    }

    /// Makes a transaction last.
    pub(crate) async fn commit(&self, transaction: Transaction) -> Result<()> {
        let committed = match transaction {
            Transaction::Sqlite(transaction) => transaction.commit().await,
            Transaction::Postgres(transaction) => transaction.commit().await,
        };
        committed.map_err(|error| self.failed(error))
    }

    /// The crate's error for one of sqlx.
    pub(crate) fn failed(&self, error: sqlx::Error) -> Error {
        classify(&self.name, error)
    }
}

/// Why no connection can be had: the pool knows only that it has given up.
async fn why_not(options: &PgConnectOptions) -> sqlx::Error {
    match tokio::time::timeout(LAST_TRY, options.connect()).await {
        Ok(Err(error)) => error,
        _ => sqlx::Error::PoolTimedOut,
    }
}

pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        .pragma("cache_size", PAGE_CACHE)
        .pragma("wal_autocheckpoint", FOLDED_AFTER)
        .busy_timeout(Duration::from_secs(10))
        .disable_statement_logging()
}

/// What went wrong, whichever server says so.
enum Cause {
    Missing,
    ReadOnly,
    Full,
    Busy,
    Damaged,
    Unreachable,
    Other,
}

fn classify(name: &str, source: sqlx::Error) -> Error {
    let database = name.to_owned();
    match cause(&source) {
        Cause::Missing => Error::DatabaseMissing(database),
        Cause::ReadOnly => Error::DatabaseReadOnly { database, source },
        Cause::Full => Error::DiskFull { database, source },
        Cause::Busy => Error::DatabaseBusy { database, source },
        Cause::Damaged => Error::DatabaseDamaged { database, source },
        Cause::Unreachable => Error::DatabaseUnreachable { database, source },
        Cause::Other => Error::Database { database, source },
    }
}

fn cause(error: &sqlx::Error) -> Cause {
    let Some(database) = error.as_database_error() else {
        return match error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::Tls(_) => {
                Cause::Unreachable
            }
            _ => Cause::Other,
        };
    };
    let code = database.code().unwrap_or_default();
    if database
        .try_downcast_ref::<sqlx::postgres::PgDatabaseError>()
        .is_some()
    {
        postgres_cause(&code)
    } else {
        sqlite_cause(&code)
    }
}

/// By PostgreSQL's SQLSTATE.
fn postgres_cause(state: &str) -> Cause {
    match state {
        "3D000" => Cause::Missing,
        "25006" | "42501" => Cause::ReadOnly,
        "53100" => Cause::Full,
        "40001" | "40P01" | "53300" | "55P03" => Cause::Busy,
        "XX001" | "XX002" => Cause::Damaged,
        "57P01" | "57P02" | "57P03" => Cause::Unreachable,
        _ => Cause::Other,
    }
}

/// By SQLite's primary result code, the low byte of the extended one; but the shared memory of the write-ahead log, which
/// is a file too, finds no room before the database does: it cannot be opened, or not be made as large as it must be.
fn sqlite_cause(code: &str) -> Cause {
    const NO_ROOM_FOR_SHARED_MEMORY: [&str; 2] = ["4618", "4874"];
    const BUSY: u32 = 5;
    const LOCKED: u32 = 6;
    const READ_ONLY: u32 = 8;
    const CORRUPT: u32 = 11;
    const FULL: u32 = 13;
    const CANNOT_OPEN: u32 = 14;
    const NOT_A_DATABASE: u32 = 26;
    if NO_ROOM_FOR_SHARED_MEMORY.contains(&code) {
        return Cause::Full;
    }
    match code.parse::<u32>().map(|extended| extended & 0xff) {
        Ok(READ_ONLY | CANNOT_OPEN) => Cause::ReadOnly,
        Ok(FULL) => Cause::Full,
        Ok(BUSY | LOCKED) => Cause::Busy,
        Ok(CORRUPT | NOT_A_DATABASE) => Cause::Damaged,
        _ => Cause::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_known_by_whatever_finds_no_room_first() {
        for code in ["13", "4618", "4874"] {
            assert!(matches!(sqlite_cause(code), Cause::Full), "{code}");
        }
        assert!(matches!(sqlite_cause("10"), Cause::Other));
    }
}
