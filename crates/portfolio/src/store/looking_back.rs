//! What reports on the system look back at: health samples, metrics, and the newest comparison of each account.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::Store;
use super::codec::Reader;
use super::metrics::SLACK;
use super::reconciliations::BreakRow;
use super::sql::Row;
use crate::error::Result;

/// Breaks of a comparison that are listed.
const LISTED: usize = 1_000;

/// A health check that was kept.
#[derive(Clone, Debug)]
pub struct HealthRow {
    /// When.
    pub at: Timestamp,
    /// `healthy`, `degraded` or `unhealthy`.
    pub status: String,
    /// By name, as JSON.
    pub checks: String,
}

/// A number of a bucket of five minutes.
#[derive(Clone, Debug)]
pub struct MetricRow {
    /// What was counted.
    pub name: String,
    /// Of what; empty for all.
    pub label: String,
    /// The number.
    pub value: f64,
}

/// The newest comparison of an account with its custodian's statement.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The account.
    pub account_id: i64,
    /// Its name.
    pub account: String,
    /// The statement's day.
    pub as_of: Date,
    /// How it ended.
    pub status: String,
    /// How many matches each rule found.
    pub matches: BTreeMap<String, i64>,
    /// The breaks, the gravest first.
    pub breaks: Vec<BreakRow>,
}

impl Store {
    /// The health samples from `from` until before `to`.
    pub async fn health_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<HealthRow>> {
        let query = self.sql(
            "SELECT id, status, checks::text AS checks, checked_at::text AS checked_at FROM health_samples
             WHERE checked_at >= ?1::timestamptz AND checked_at <= ?2::timestamptz ORDER BY id",
        );
        let rows = query.bind(from - SLACK).bind(to).all().await?;
        let mut samples = rows.iter().map(sample).collect::<Result<Vec<_>>>()?;
        samples.retain(|sample| from <= sample.at && sample.at < to);
        Ok(samples)
    }

    /// The numbers of the buckets that began from `from` until before `to`.
    pub async fn metrics_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<MetricRow>> {
        let query = self.sql(
            "SELECT metric, label, value FROM metrics_5m
             WHERE bucket >= ?1::timestamptz AND bucket < ?2::timestamptz ORDER BY bucket, metric, label",
        );
        let rows = query.bind(from).bind(to).all().await?;
        let metrics = rows.iter().map(|row| MetricRow {
            name: row.get("metric"),
            label: row.get("label"),
            value: row.get("value"),
        });
        Ok(metrics.collect())
    }

    /// The newest comparison of each account, of those with statements from `from` to `to`: of all accounts, of a user's, or of a
    /// portfolio's.
    pub async fn compared(
        &self,
        user_id: Option<i64>,
        portfolio_id: Option<i64>,
        (from, to): (Date, Date),
    ) -> Result<Vec<Compared>> {
        let query = self.sql(
            "SELECT r.id, r.account_id, a.name AS account, r.as_of::text AS as_of, r.status
             FROM reconciliations r JOIN accounts a ON a.id = r.account_id
             WHERE r.id IN (SELECT max(id) FROM reconciliations WHERE as_of >= ?3::date AND as_of <= ?4::date GROUP BY account_id)
               AND (?1 = 0 OR a.user_id = ?1)
               AND (?2 = 0 OR a.id IN (SELECT account_id FROM portfolio_accounts WHERE portfolio_id = ?2))
             ORDER BY r.account_id",
        );
        let query = query
            .bind(user_id.unwrap_or_default())
            .bind(portfolio_id.unwrap_or_default());
        let mut found = Vec::new();
        for row in query.bind(from).bind(to).all().await? {
            found.push(self.compared_account(&row).await?);
        }
        Ok(found)
    }

    async fn compared_account(&self, row: &Row) -> Result<Compared> {
        let id: i64 = row.get("id");
        let reader = Reader {
            table: "reconciliations",
            id: id.to_string(),
            row,
        };
        Ok(Compared {
            account_id: row.get("account_id"),
            account: row.get("account"),
            as_of: reader.required("as_of")?,
            status: row.get("status"),
            matches: self.matches_by_rule(id).await?,
            breaks: self.breaks(id, LISTED).await?,
        })
    }
}

fn sample(row: &Row) -> Result<HealthRow> {
    let reader = Reader {
        table: "health_samples",
        id: row.get::<i64>("id").to_string(),
        row,
    };
    Ok(HealthRow {
        at: reader.required("checked_at")?,
        status: row.get("status"),
        checks: row.get("checks"),
    })
}
