//! What users did and how tasks ran, for the five-minute metrics and for looking back.

use jiff::{SignedDuration, Timestamp};

use super::Store;
use super::codec::Reader;
use super::database::Pools;
use super::portfolio_caches::ENTRIES;
use super::sql::Row;
use crate::error::Result;

/// Times are stored as text, where a fraction of a second sorts before none; so reads begin this much earlier and are cut exactly after.
pub(super) const SLACK: SignedDuration = SignedDuration::from_secs(1);

/// Something that a user did.
#[derive(Clone, Debug)]
pub struct ActionRow {
    /// Who.
    pub user_id: i64,
    /// What.
    pub action: String,
    /// When.
    pub at: Timestamp,
}

/// A run that has ended.
#[derive(Clone, Debug)]
pub struct RunRow {
    /// The task's name.
    pub name: String,
    /// The queue that it came from.
    pub queue: String,
    /// Celery's state.
    pub state: String,
    /// When it ended.
    pub at: Timestamp,
    /// How long it took.
    pub duration_ms: i64,
    /// How often it was retried before.
    pub retries: i64,
}

/// One number of one bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// The first moment of the bucket.
    pub bucket: Timestamp,
    /// What is counted.
    pub name: &'static str,
    /// Of what; empty for all.
    pub label: String,
    /// The number.
    pub value: f64,
}

impl Store {
    /// What users did from `from` until before `to`.
    pub async fn actions_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<ActionRow>> {
        let rows = self
            .sql(
                "SELECT id, user_id, action, occurred_at::text AS occurred_at FROM user_actions
                 WHERE occurred_at >= ?1::timestamptz AND occurred_at <= ?2::timestamptz ORDER BY id",
            )
            .bind(from - SLACK)
            .bind(to)
            .all()
            .await?;
        let mut actions = rows.iter().map(action).collect::<Result<Vec<_>>>()?;
        actions.retain(|action| from <= action.at && action.at < to);
        Ok(actions)
    }

    /// The runs that ended from `from` until before `to`.
    pub async fn runs_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<RunRow>> {
        let rows = self
            .sql(
                "SELECT task_id, name, queue, state, finished_at::text AS finished_at, coalesce(duration_ms, 0) AS duration_ms,
                   retries::bigint AS retries FROM task_runs
                 WHERE finished_at >= ?1::timestamptz AND finished_at <= ?2::timestamptz ORDER BY task_id",
            )
            .bind(from - SLACK)
            .bind(to)
            .all()
            .await?;
        let mut runs = rows.iter().map(run).collect::<Result<Vec<_>>>()?;
        runs.retain(|run| from <= run.at && run.at < to);
        Ok(runs)
    }

    /// Replaces everything that is known of these buckets.
    pub async fn put_metrics(&self, buckets: &[Timestamp], metrics: &[Metric]) -> Result<()> {
        let mut tx = self.begin().await?;
        for bucket in buckets {
            let delete = self.sql("DELETE FROM metrics_5m WHERE bucket = ?1::timestamptz");
            delete.bind(*bucket).execute_in(&mut tx).await?;
        }
        for metric in metrics {
            let insert = self.sql(
                "INSERT INTO metrics_5m (bucket, metric, label, value) VALUES (?1::timestamptz, ?2, ?3, ?4::float8)",
            );
            let insert = insert
                .bind(metric.bucket)
                .bind(metric.name)
                .bind(metric.label.as_str())
                .bind(metric.value);
            insert.execute_in(&mut tx).await?;
        }
        self.commit(tx).await
    }

    /// How often cache entries were read, and how often computed; of those that are there.
    pub async fn cache_use(&self) -> Result<(i64, i64)> {
        let row = self
            .sql("SELECT coalesce(sum(hits), 0)::bigint AS hits,
               (coalesce(sum(version), 0) + (SELECT ?1 * coalesce(sum(version), 0) FROM portfolio_caches))::bigint AS computed FROM cache_entries")
            .bind(ENTRIES as i64)
            .first()
            .await?;
        Ok(row.map_or((0, 0), |row| (row.get("hits"), row.get("computed"))))
    }

    /// The size of the database in bytes.
    pub async fn database_bytes(&self) -> Result<i64> {
        self.sql(self.by_server(
            "SELECT page_count * page_size AS found FROM pragma_page_count(), pragma_page_size()",
            "SELECT pg_database_size(current_database()) AS found",
        ))
        .found()
        .await
    }

    /// Bytes of the database that hold nothing; 0 where the server does not say.
    pub async fn free_bytes(&self) -> Result<i64> {
        self.sql(self.by_server(
            "SELECT freelist_count * page_size AS found FROM pragma_freelist_count(), pragma_page_size()",
            "SELECT 0::bigint AS found",
        ))
        .found()
        .await
    }

    /// The statement of the server in use, where one text cannot serve both.
    pub(super) fn by_server(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self.pools {
            Pools::Sqlite(_) => sqlite,
            Pools::Postgres(_) => postgres,
        }
    }
}

fn action(row: &Row) -> Result<ActionRow> {
    let reader = Reader {
        table: "user_actions",
        id: row.get::<i64>("id").to_string(),
        row,
    };
    Ok(ActionRow {
        user_id: row.get("user_id"),
        action: row.get("action"),
        at: reader.required("occurred_at")?,
    })
}

fn run(row: &Row) -> Result<RunRow> {
    let reader = Reader {
        table: "task_runs",
        id: row.get("task_id"),
        row,
    };
    Ok(RunRow {
        name: row.get("name"),
        queue: row.get("queue"),
        state: row.get("state"),
        at: reader.required("finished_at")?,
        duration_ms: row.get("duration_ms"),
        retries: row.get("retries"),
    })
}
