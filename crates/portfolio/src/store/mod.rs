//! The database: SQLite by default, or PostgreSQL, through sqlx. Every statement is static text that runs on both.
//!
//! One file for each group of tables; each adds its methods to [`Store`]. Rows come out as the domain's types, or as an
//! error that names table, row and column. `database` knows the servers, `sql` the statements.

mod accounts;
mod artefacts;
mod backups;
mod closes;
mod codec;
mod copying;
mod dashboard;
mod database;
mod health;
mod housekeeping;
mod incoming;
mod instruments;
mod ledger;
mod ledger_states;
mod listings;
mod locks;
mod looking_back;
mod market;
mod metrics;
mod migrations;
mod names;
mod notifications;
mod people;
mod portfolio_caches;
mod price_file;
mod reconciliations;
mod results;
mod retiring;
mod revisions;
mod runs;
mod snapshots;
mod sql;
mod statements;
mod targets;
mod upkeep;
mod user_actions;

use std::path::Path;
use std::sync::Arc;

pub use artefacts::{ArtefactRow, NewArtefact};
pub use backups::BackupRow;
pub use dashboard::{Activity, Alert, Freshness};
pub use housekeeping::ExpiredArtefact;
pub use incoming::{Mark, NewBars, NewQuote, Written};
pub use instruments::{AssetRow, NewAsset};
pub use ledger::NewTransaction;
pub use listings::{Held, Listing, NewFacts};
pub use locks::{Lock, LockAttempt};
pub use looking_back::{Compared, HealthRow, MetricRow};
pub use market::{PriceRow, RateRow};
pub use metrics::{ActionRow, Metric, RunRow};
pub use notifications::{
    Channel, Delivery, DeliveryStatus, NewNotification, Notification, Recipient,
};
pub use people::{AccountRow, NewAccount, NewPortfolio, NewUser, PortfolioRow, UserRow};
pub use reconciliations::BreakRow;
pub use results::{CacheRow, SavedFigures, SummaryRow};
pub use retiring::Retirable;
pub use runs::{NewRun, RunEnd};

pub use snapshots::{Snapshot, SnapshotPosition};
pub use statements::StatementRow;
pub use user_actions::{NewAction, StoredAction};

pub(crate) use closes::MarketRead;
pub(crate) use copying::{Frozen, Refill};
pub(crate) use database::Transaction;
pub(crate) use ledger::{ROWS_TOGETHER, StoredEntry, asset_index};
pub(crate) use ledger_states::{KeptLedger, NewLedgerState};
pub(crate) use migrations::schema_version;
pub(crate) use reconciliations::{KeptBreak, NewBreak, NewReconciliation};
pub(crate) use results::{ALL_PERIODS, MadeFrom, Stored};
pub(crate) use snapshots::KeptSnapshot;
pub(crate) use statements::LineRow;

use crate::error::{Error, Result};
use database::{Pools, options};

/// An open database with an up-to-date schema. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pools: Pools,
    name: String,
    /// Beside a SQLite database.
    price_file: Option<Arc<Path>>,
}

impl Store {
    /// Opens the database that a URL names: `postgresql://user:password@host:port/database`, or a SQLite file, with or
    /// without `sqlite:` or `sqlite://` before its path. It must exist; its schema is brought up to date.
    pub async fn open_url(url: &str) -> Result<Store> {
        match sqlite_file(url)? {
            Some(path) => Store::open(path).await,
            None => Store::connect_postgres(url).await,
        }
    }

    /// As [`Store::open_url`], but creates a SQLite file where there is none. A PostgreSQL database must exist.
    pub async fn create_url(url: &str) -> Result<Store> {
        match sqlite_file(url)? {
            Some(path) => Store::create(path).await,
            None => Store::connect_postgres(url).await,
        }
    }

    /// Opens an existing SQLite database and brings its schema up to date.
    pub async fn open(path: impl AsRef<Path>) -> Result<Store> {
        let path = path.as_ref();
        if !path.exists() {
            return Err(Error::DatabaseMissing(path.display().to_string()));
        }
        Store::connect(path, options(path)).await
    }

    /// Opens a SQLite database, or creates it where there is none.
    pub async fn create(path: impl AsRef<Path>) -> Result<Store> {
        let path = path.as_ref();
        Store::connect(path, options(path).create_if_missing(true)).await
    }

    /// The file, or the server and database; without a password.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The SQLite file that a URL names; `None` when it names a PostgreSQL server.
///
/// # Errors
/// It names neither.
pub fn sqlite_file(url: &str) -> Result<Option<&Path>> {
    if url.starts_with("postgresql://") || url.starts_with("postgres://") {
        return Ok(None);
    }
    let path = match url.strip_prefix("sqlite:") {
        Some(path) => path.strip_prefix("//").unwrap_or(path),
        None => url,
    };
    if path.is_empty() || path.contains("://") {
        return Err(Error::DatabaseAddress);
    }
    Ok(Some(Path::new(path)))
}

#[cfg(test)]
mod tests;
