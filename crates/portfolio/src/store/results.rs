//! Results: analytics, cache entries and the counts that overviews show. All can be rebuilt.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::codec::Reader;
use super::sql::Row;
use super::{Store, Transaction};
use crate::analytics::stored;
use crate::error::Result;
use crate::money::Currency;

/// Rows that one statement writes.
const TOGETHER: usize = 64;

/// The period under which a portfolio's one row of analytics stands: it has the figures of all of them.
pub(crate) const ALL_PERIODS: &str = "all";

/// A row of analytics to be stored.
#[derive(Debug)]
pub struct SavedFigures {
    /// `portfolio`, `user` or `global`.
    pub scope: &'static str,
    /// The id within the scope; 0 for `global`.
    pub scope_id: i64,
    /// What the figures are of, such as `max`; `all` in the row of a portfolio.
    pub period: &'static str,
    pub as_of: Date,
    /// JSON of users and of everything; of a portfolio the bytes that `analytics` packs.
    pub(crate) payload: Stored,
    pub input_hash: String,
}

/// The figures of a row of analytics as they are stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stored {
    /// JSON.
    Text(String),
    /// Those of a portfolio, packed.
    Packed(Vec<u8>),
}

impl Stored {
    /// Out of the columns `payload` and `packed`.
    pub(super) fn of(row: &Row) -> Stored {
        match row.get("packed") {
            Some(bytes) => Stored::Packed(bytes),
            None => Stored::Text(row.get("payload")),
        }
    }

    /// The values of the columns `payload` and `packed`.
    fn columns(self) -> (String, Option<Vec<u8>>) {
        match self {
            Stored::Text(text) => (text, None),
            Stored::Packed(bytes) => ("{}".to_owned(), Some(bytes)),
        }
    }
}

/// A cache entry to be stored.
#[derive(Clone, Debug)]
pub struct CacheRow {
    pub key: String,
    /// JSON.
    pub value: String,
    pub user_id: Option<i64>,
}

/// The input that a portfolio's results must have been made from.
#[derive(Debug, serde::Serialize)]
pub(crate) struct MadeFrom<'t> {
    pub(crate) id: i64,
    pub(crate) as_of: Date,
    pub(crate) hash: &'t str,
}

/// A key as an item of a JSON list.
#[derive(serde::Serialize)]
struct Key<'k> {
    key: &'k str,
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
    /// Upserts rows of analytics, many in one statement.
    pub(crate) async fn put_analytics(
        &self,
        tx: &mut Transaction,
        rows: Vec<SavedFigures>,
        now: Timestamp,
    ) -> Result<()> {
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let rows: Vec<SavedFigures> = rows.by_ref().take(TOGETHER).collect();
            let query = self.sql_of_rows(
                "INSERT INTO analytics (scope, scope_id, period, as_of, payload, packed, input_hash, computed_at)",
                "(?, ?, ?, ?::date, ?::jsonb, ?, ?, ?::timestamptz)",
                rows.len(),
                "ON CONFLICT (scope, scope_id, period) DO UPDATE SET as_of = excluded.as_of, payload = excluded.payload,
                   packed = excluded.packed, input_hash = excluded.input_hash, computed_at = excluded.computed_at",
            );
            let bound = rows.into_iter().fold(query, |query, row| {
                let query = query.bind(row.scope).bind(row.scope_id).bind(row.period);
                let (payload, packed) = row.payload.columns();
                let query = query.bind(row.as_of).bind(payload).bind(packed);
                query.bind(row.input_hash).bind(now)
            });
            bound.execute_in(tx).await?;
        }
        Ok(())
    }

    /// Upserts cache entries, many in one statement; an entry's version counts its rewrites.
    pub(crate) async fn put_cache(
        &self,
        tx: &mut Transaction,
        rows: Vec<CacheRow>,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<()> {
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let rows: Vec<CacheRow> = rows.by_ref().take(TOGETHER).collect();
            let query = self.sql_of_rows(
                "INSERT INTO cache_entries (key, value, version, user_id, computed_at, expires_at)",
                "(?, ?, 1, ?, ?::timestamptz, ?::timestamptz)",
                rows.len(),
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = cache_entries.version + 1,
                   user_id = excluded.user_id, computed_at = excluded.computed_at, expires_at = excluded.expires_at",
            );
            let bound = rows.into_iter().fold(query, |query, row| {
                let query = query.bind(row.key).bind(row.value.into_bytes());
                query.bind(row.user_id).bind(now).bind(expires)
            });
            bound.execute_in(tx).await?;
        }
        Ok(())
    }

    /// Lets cache entries that are still right live on; returns the keys of those that exist.
    pub(crate) async fn extend_cache(
        &self,
        keys: &[String],
        expires: Timestamp,
    ) -> Result<HashSet<String>> {
        if keys.is_empty() {
            return Ok(HashSet::new());
        }
        let query = self.sql(
            "UPDATE cache_entries SET expires_at = ?2::timestamptz WHERE key IN (SELECT value ->> 'key' FROM json_each(?1::jsonb)) RETURNING key",
        );
        let keys: Vec<Key<'_>> = keys.iter().map(|key| Key { key }).collect();
        let query = query.bind(serde_json::to_string(&keys)?).bind(expires);
        Ok(query
            .all()
            .await?
            .iter()
            .map(|row| row.get("key"))
            .collect())
    }

    /// The value of a cache entry, expired or not.
    pub async fn cached(&self, key: &str) -> Result<Option<String>> {
        if let Some(value) = self.cached_of_portfolio(key).await? {
            return Ok(Some(value));
        }
        let query = self
            .sql("SELECT value FROM cache_entries WHERE key = ?1")
            .bind(key);
        let row = query.first().await?;
        let value = row.map(|row| row.get::<Vec<u8>>("value"));
        Ok(value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The payloads of portfolios that were made from these inputs. SQLite takes the tables of a `CROSS JOIN` in their order:
    /// the list once, and a look by key for each of its items.
    pub(crate) async fn portfolio_payloads(
        &self,
        inputs: &[MadeFrom<'_>],
    ) -> Result<HashMap<i64, Stored>> {
        let query = self.sql(
            "SELECT scope_id, payload::text AS payload, packed
             FROM json_each(?1::jsonb) CROSS JOIN analytics
             WHERE scope = 'portfolio' AND scope_id = (value ->> 'id')::bigint AND period = ?2
               AND as_of = (value ->> 'as_of')::date AND input_hash = value ->> 'hash'",
        );
        let query = query.bind(serde_json::to_string(inputs)?).bind(ALL_PERIODS);
        let rows = query.all().await?;
        let payload = |row: &Row| (row.get("scope_id"), Stored::of(row));
        Ok(rows.iter().map(payload).collect())
    }

    /// The figures of one row of analytics as JSON.
    pub async fn figures(
        &self,
        scope: &str,
        scope_id: i64,
        period: &str,
    ) -> Result<Option<String>> {
        let stored = self.stored_figures(scope, scope_id, period).await?;
        Ok(stored.and_then(stored::text))
    }

    /// The figures of one row of analytics as they are stored.
    pub(crate) async fn stored_figures(
        &self,
        scope: &str,
        scope_id: i64,
        period: &str,
    ) -> Result<Option<Stored>> {
        let query = self.sql(
            "SELECT payload::text AS payload, packed FROM analytics WHERE scope = ?1 AND scope_id = ?2 AND period = ?3",
        );
        let row = query
            .bind(scope)
            .bind(scope_id)
            .bind(period)
            .first()
            .await?;
        Ok(row.as_ref().map(Stored::of))
    }

    /// A row for each active portfolio and period; `as_of` leaves out rows of other days.
    pub async fn summary(&self, as_of: Option<Date>) -> Result<Vec<SummaryRow>> {
        let query = self.sql(
            "SELECT portfolios.id AS id, portfolios.name AS name, portfolios.base_currency AS base_currency, analytics.as_of::text AS as_of,
               payload::text AS payload, packed
             FROM analytics JOIN portfolios ON portfolios.id = analytics.scope_id
             WHERE scope = 'portfolio' AND portfolios.is_active AND (?1 IS NULL OR as_of = ?1::date)
             ORDER BY portfolios.id",
        );
        let mut rows = Vec::new();
        let take = |row: &Row| {
            rows.extend(summary_rows(row)?);
            Ok(())
        };
        query.bind(as_of).each(take).await?;
        Ok(rows)
    }
}

fn summary_rows(row: &Row) -> Result<impl Iterator<Item = SummaryRow>> {
    let portfolio_id: i64 = row.get("id");
    let reader = Reader {
        table: "analytics",
        id: portfolio_id.to_string(),
        row,
    };
    let portfolio: String = row.get("name");
    let base_currency: Currency = reader.required("base_currency")?;
    let as_of: Date = reader.required("as_of")?;
    let headlines = stored::headlines(&Stored::of(row));
    let headlines = headlines.ok_or_else(|| reader.broken("payload", "another form"))?;
    Ok(headlines.into_iter().map(move |headline| SummaryRow {
        portfolio_id,
        portfolio: portfolio.clone(),
        base_currency,
        period: headline.period,
        as_of,
        nav: headline.nav,
        twr: headline.twr,
        xirr: headline.xirr,
        volatility: headline.volatility,
        max_drawdown: headline.max_drawdown,
    }))
}

#[cfg(test)]
mod tests;
