//! The database: SQLite through sqlx, every statement static text.
//!
//! One file for each group of tables; each adds its methods to [`Store`]. Rows come out as the domain's types, or as an
//! error that names table, row and column. Reports and reconciliation tables exist in the schema and are not used yet.

mod codec;
mod health;
mod instruments;
mod ledger;
mod locks;
mod market;
mod migrations;
mod people;
mod results;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};

pub use instruments::NewAsset;
pub use ledger::NewTransaction;
pub use locks::{Lock, LockAttempt};
pub use market::{PriceRow, RateRow};
pub use people::{AccountRow, NewAccount, NewPortfolio, NewUser, PortfolioRow, UserRow};
pub use results::{CacheRow, SavedFigures, SummaryRow};

pub(crate) use ledger::{StoredEntry, asset_index};

use crate::error::{Error, Result};

/// SQLite's primary result codes that mean something to a person.
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READ_ONLY: u32 = 8;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANNOT_OPEN: u32 = 14;
const NOT_A_DATABASE: u32 = 26;

/// An open database with an up-to-date schema. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
    path: PathBuf,
}

/// One transaction; dropped without [`Store::commit`] it is rolled back.
pub(crate) type Transaction = sqlx::Transaction<'static, sqlx::Sqlite>;

impl Store {
    /// Opens an existing database and brings its schema up to date.
    pub async fn open(path: impl AsRef<Path>) -> Result<Store> {
        let path = path.as_ref();
        if !path.exists() {
            return Err(Error::DatabaseMissing(path.to_owned()));
        }
        Store::connect(path, options(path)).await
    }

    /// Opens a database, or creates it where there is none.
    pub async fn create(path: impl AsRef<Path>) -> Result<Store> {
        let path = path.as_ref();
        Store::connect(path, options(path).create_if_missing(true)).await
    }

    async fn connect(path: &Path, options: SqliteConnectOptions) -> Result<Store> {
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(30));
        let pool = pool
            .connect_with(options)
            .await
            .map_err(|error| classify(path, error))?;
        let store = Store {
            pool,
            path: path.to_owned(),
        };
        store.migrate().await?;
        Ok(store)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until all connections are closed; the write-ahead log is folded into the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) async fn begin(&self) -> Result<Transaction> {
        self.pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(|error| self.failed(error))
    }

    pub(crate) async fn commit(&self, transaction: Transaction) -> Result<()> {
        transaction
            .commit()
            .await
            .map_err(|error| self.failed(error))
    }

    /// The crate's error for one of sqlx.
    pub(crate) fn failed(&self, error: sqlx::Error) -> Error {
        classify(&self.path, error)
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
}

fn classify(path: &Path, source: sqlx::Error) -> Error {
    let path = path.to_owned();
    let code = source
        .as_database_error()
        .and_then(|error| error.code()?.parse::<u32>().ok());
    match code.map(|extended| extended & 0xff) {
        Some(READ_ONLY | CANNOT_OPEN) => Error::DatabaseReadOnly { path, source },
        Some(FULL) => Error::DiskFull { path, source },
        Some(BUSY | LOCKED) => Error::DatabaseBusy { path, source },
        Some(CORRUPT | NOT_A_DATABASE) => Error::DatabaseDamaged { path, source },
        _ => Error::Database { path, source },
    }
}

#[cfg(test)]
mod tests;
