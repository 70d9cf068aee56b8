//! Deleting what nothing needs any more: in batches, and never ledger, prices, snapshots, statements or open breaks.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;

use super::Store;
use super::portfolio_caches::ENTRIES;
use crate::error::Result;

/// Rows of a batch.
const BATCH: u64 = 5_000;

/// A table whose old rows may go: how many there are, and the deletion of one batch.
#[derive(Debug)]
struct Old {
    table: &'static str,
    count: &'static str,
    delete: &'static str,
}

/// What may be deleted, `?1` being the first moment that is kept.
macro_rules! old {
    ($table:literal, $key:literal, $condition:literal) => {
        Old {
            table: $table,
            count: concat!(
                "SELECT count(*) AS found FROM ",
                $table,
                " WHERE ",
                $condition
            ),
            delete: concat!(
                "DELETE FROM ",
                $table,
                " WHERE ",
                $key,
                " IN (SELECT ",
                $key,
                " FROM ",
                $table,
                " WHERE ",
                $condition,
                " ORDER BY ",
                $key,
                " LIMIT 5000)"
            ),
        }
    };
}

const OLD: [Old; 6] = [
    old!(
        "notifications",
        "id",
        "read_at IS NOT NULL AND created_at < ?1::timestamptz"
    ),
    old!(
        "user_actions",
        "id",
        "processed_at IS NOT NULL AND occurred_at < ?1::timestamptz"
    ),
    old!(
        "task_runs",
        "task_id",
        "finished_at IS NOT NULL AND finished_at < ?1::timestamptz"
    ),
    old!("health_samples", "id", "checked_at < ?1::timestamptz"),
    old!("cache_entries", "key", "expires_at < ?1::timestamptz"),
    old!(
        "reconciliation_breaks",
        "id",
        "status = 'auto_resolved' AND closed_at < ?1::timestamptz"
    ),
];

/// The cache entries of portfolios, which are counted and deleted with the others.
const OLD_PORTFOLIO_CACHES: Old = old!(
    "portfolio_caches",
    "portfolio_id",
    "expires_at < ?1::timestamptz"
);
const CACHE: &str = "cache_entries";

/// Metrics have no single key: a batch is a hundred buckets.
const OLD_METRICS: Old = Old {
    table: "metrics_5m",
    count: "SELECT count(*) AS found FROM metrics_5m WHERE bucket < ?1::timestamptz",
    delete: "DELETE FROM metrics_5m WHERE bucket IN
        (SELECT DISTINCT bucket FROM metrics_5m WHERE bucket < ?1::timestamptz ORDER BY bucket LIMIT 100)",
};

/// An artefact whose time has passed.
#[derive(Clone, Debug)]
pub struct ExpiredArtefact {
    /// Its row.
    pub id: i64,
    /// Its file.
    pub path: PathBuf,
    /// The file's size.
    pub bytes: i64,
}

impl Store {
    /// The tables that [`Store::delete_old`] empties, in its order.
    pub fn perishable_tables() -> impl ExactSizeIterator<Item = &'static str> {
        let names: Vec<&str> = OLD
            .iter()
            .chain([&OLD_METRICS])
            .map(|old| old.table)
            .collect();
        names.into_iter()
    }

    /// Deletes the old rows of one of the perishable tables, or counts them with `dry_run`; returns how many.
    pub async fn delete_old(&self, table: &str, before: Timestamp, dry_run: bool) -> Result<u64> {
        let Some(old) = OLD
            .iter()
            .chain([&OLD_METRICS])
            .find(|old| old.table == table)
        else {
            return Ok(0);
        };
        let found = self.old_rows(old, before, dry_run).await?;
        if table != CACHE {
            return Ok(found);
        }
        let of_portfolios = self.old_rows(&OLD_PORTFOLIO_CACHES, before, dry_run);
        Ok(found + of_portfolios.await? * ENTRIES)
    }

    async fn old_rows(&self, old: &Old, before: Timestamp, dry_run: bool) -> Result<u64> {
        if dry_run {
            let count: i64 = self.sql(old.count).bind(before).found().await?;
            return Ok(u64::try_from(count).unwrap_or_default());
        }
        self.in_batches(old.delete, before).await
    }

    /// Deletes cache entries that have expired, or counts them.
    pub async fn delete_expired_cache(&self, now: Timestamp, dry_run: bool) -> Result<u64> {
        self.delete_old(CACHE, now, dry_run).await
    }

    async fn in_batches(&self, delete: &'static str, before: Timestamp) -> Result<u64> {
        let mut deleted = 0;
        loop {
            let batch = self.sql(delete).bind(before).execute().await?;
            deleted += batch;
            if batch == 0 || (batch < BATCH && delete != OLD_METRICS.delete) {
                return Ok(deleted);
            }
        }
    }

    /// The artefacts whose time has passed.
    pub async fn expired_artefacts(&self, now: Timestamp) -> Result<Vec<ExpiredArtefact>> {
        let rows = self
            .sql("SELECT id, path, bytes FROM report_artifacts WHERE expires_at < ?1::timestamptz ORDER BY id")
            .bind(now)
            .all()
            .await?;
        Ok(rows
            .iter()
            .map(|row| ExpiredArtefact {
                id: row.get("id"),
                path: PathBuf::from(row.get::<String>("path")),
                bytes: row.get("bytes"),
            })
            .collect())
    }

    /// Forgets an artefact.
    pub async fn delete_artefact(&self, id: i64) -> Result<()> {
        let delete = self
            .sql("DELETE FROM report_artifacts WHERE id = ?1")
            .bind(id);
        delete.execute().await.map(|_| ())
    }

    /// How many rows each of the tables has that nothing may delete; for checks.
    pub async fn lasting_rows(&self) -> Result<BTreeMap<&'static str, i64>> {
        let counts = [
            ("transactions", "SELECT count(*) AS found FROM transactions"),
            ("prices", "SELECT count(*) AS found FROM prices"),
            ("snapshots", "SELECT count(*) AS found FROM snapshots"),
            ("statements", "SELECT count(*) AS found FROM statements"),
        ];
        let mut found = BTreeMap::new();
        for (table, count) in counts {
            found.insert(table, self.sql(count).found().await?);
        }
        Ok(found)
    }
}
