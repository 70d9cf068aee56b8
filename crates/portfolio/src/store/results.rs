//! Results: analytics, cache entries and the counts that overviews show. All can be rebuilt.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::Row;

use super::codec::{Reader, id_list};
use super::{Store, Transaction};
use crate::error::Result;
use crate::money::Currency;

/// A row of analytics to be stored.
#[derive(Debug)]
pub struct SavedFigures<'a> {
    /// `portfolio`, `user` or `global`.
    pub scope: &'a str,
    /// The id within the scope; 0 for `global`.
    pub scope_id: i64,
    /// Such as `1y`.
    pub period: &'a str,
    pub as_of: Date,
    /// JSON.
    pub payload: String,
    pub input_hash: &'a str,
}

/// A cache entry to be stored.
#[derive(Debug)]
pub struct CacheRow {
    pub key: String,
    /// JSON.
    pub value: String,
    pub user_id: Option<i64>,
}

/// One line of the overview table.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct SummaryRow {
    pub portfolio_id: i64,
    pub portfolio: String,
    pub base_currency: Currency,
    pub period: String,
    pub as_of: Date,
    /// Net asset value, exact.
    pub nav: Option<crate::decimal::Decimal>,
    pub twr: Option<f64>,
    /// The annual money-weighted return.
    pub xirr: Option<f64>,
    pub volatility: Option<f64>,
    pub max_drawdown: Option<f64>,
}

impl Store {
    /// Upserts rows of analytics.
    pub(crate) async fn put_analytics(
        &self,
        tx: &mut Transaction,
        rows: &[SavedFigures<'_>],
        now: Timestamp,
    ) -> Result<()> {
        for row in rows {
            let query = sqlx::query(
                "INSERT INTO analytics (scope, scope_id, period, as_of, payload, input_hash, computed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (scope, scope_id, period) DO UPDATE SET as_of = excluded.as_of, payload = excluded.payload,
                   input_hash = excluded.input_hash, computed_at = excluded.computed_at",
            );
            let query = query
                .bind(row.scope)
                .bind(row.scope_id)
                .bind(row.period)
                .bind(row.as_of.to_string());
            let query = query
                .bind(&row.payload)
                .bind(row.input_hash)
                .bind(now.to_string());
            query
                .execute(&mut **tx)
                .await
                .map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    /// Upserts cache entries; an entry's version counts its rewrites.
    pub(crate) async fn put_cache(
        &self,
        tx: &mut Transaction,
        rows: &[CacheRow],
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<()> {
        for row in rows {
            let query = sqlx::query(
                "INSERT INTO cache_entries (key, value, version, user_id, computed_at, expires_at) VALUES (?1, ?2, 1, ?3, ?4, ?5)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = cache_entries.version + 1,
                   user_id = excluded.user_id, computed_at = excluded.computed_at, expires_at = excluded.expires_at",
            );
            let query = query
                .bind(&row.key)
                .bind(row.value.as_bytes())
                .bind(row.user_id)
                .bind(now.to_string())
                .bind(expires.to_string());
            query
                .execute(&mut **tx)
                .await
                .map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    /// Lets cache entries that are still right live on; returns how many of them exist.
    pub(crate) async fn extend_cache(&self, keys: &[String], expires: Timestamp) -> Result<u64> {
        let query = sqlx::query(
            "UPDATE cache_entries SET expires_at = ?2 WHERE key IN (SELECT value FROM json_each(?1))",
        );
        let query = query
            .bind(serde_json::to_string(keys)?)
            .bind(expires.to_string());
        Ok(query
            .execute(&self.pool)
            .await
            .map_err(|error| self.failed(error))?
            .rows_affected())
    }

    /// The value of a cache entry, expired or not.
    pub async fn cached(&self, key: &str) -> Result<Option<String>> {
        let query =
            sqlx::query_scalar::<_, Vec<u8>>("SELECT value FROM cache_entries WHERE key = ?1")
                .bind(key);
        let value = query
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Hash and digest of portfolios whose rows of all `periods` agree on the hash.
    pub(crate) async fn stored_digests(
        &self,
        portfolio_ids: &[i64],
        periods: usize,
    ) -> Result<HashMap<i64, (String, String)>> {
        let query = sqlx::query_as::<_, (i64, String, Option<String>)>(
            "SELECT scope_id, input_hash, max(CASE WHEN period = 'max' THEN payload -> '$.digest' END) FROM analytics
             WHERE scope = 'portfolio' AND scope_id IN (SELECT value FROM json_each(?1))
             GROUP BY scope_id, input_hash HAVING count(*) = ?2",
        );
        let query = query
            .bind(id_list(portfolio_ids.iter().copied()))
            .bind(i64::try_from(periods).unwrap_or(i64::MAX));
        let rows = query
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(rows
            .into_iter()
            .filter_map(|(id, hash, digest)| Some((id, (hash, digest?))))
            .collect())
    }

    /// The payload of one row of analytics.
    pub async fn figures(
        &self,
        scope: &str,
        scope_id: i64,
        period: &str,
    ) -> Result<Option<String>> {
        let query = sqlx::query_scalar(
            "SELECT payload FROM analytics WHERE scope = ?1 AND scope_id = ?2 AND period = ?3",
        );
        query
            .bind(scope)
            .bind(scope_id)
            .bind(period)
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.failed(error))
    }

    /// A row for each active portfolio and period; `as_of` leaves out rows of other days.
    pub async fn summary(&self, as_of: Option<Date>) -> Result<Vec<SummaryRow>> {
        let query = sqlx::query(
            "SELECT portfolios.id, portfolios.name, portfolios.base_currency, analytics.period, analytics.as_of,
               payload ->> '$.figures.nav_end' AS nav, payload ->> '$.figures.twr' AS twr, payload ->> '$.figures.mwr.rate' AS xirr,
               payload ->> '$.figures.stats.volatility' AS volatility, payload ->> '$.figures.stats.max_drawdown.depth' AS max_drawdown
             FROM analytics JOIN portfolios ON portfolios.id = analytics.scope_id
             WHERE scope = 'portfolio' AND portfolios.is_active = 1 AND (?1 IS NULL OR as_of = ?1)
             ORDER BY portfolios.id",
        );
        let query = query.bind(as_of.map(|date| date.to_string()));
        let rows = query
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        rows.iter().map(summary_row).collect()
    }
}

fn summary_row(row: &sqlx::sqlite::SqliteRow) -> Result<SummaryRow> {
    let portfolio_id: i64 = row.get("id");
    let reader = Reader {
        table: "analytics",
        id: portfolio_id.to_string(),
        row,
    };
    Ok(SummaryRow {
        portfolio_id,
        portfolio: row.get("name"),
        base_currency: reader.required("base_currency")?,
        period: row.get("period"),
        as_of: reader.required("as_of")?,
        nav: reader.optional("nav")?,
        twr: row.get("twr"),
        xirr: row.get("xirr"),
        volatility: row.get("volatility"),
        max_drawdown: row.get("max_drawdown"),
    })
}
