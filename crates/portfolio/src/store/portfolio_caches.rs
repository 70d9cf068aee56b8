//! The cache entries of portfolios: one row stands for all of a portfolio, and what is in them is made of the portfolio's row
//! of analytics when they are read.

use std::collections::HashSet;

use jiff::Timestamp;

use super::codec::id_list;
use super::results::Stored;
use super::{ALL_PERIODS, Store, Transaction};
use crate::analytics::stored::{self, CACHED_PARTS};
use crate::error::Result;

impl Store {
    /// Upserts the cache entries of portfolios; their version counts their rewrites.
    pub(crate) async fn put_portfolio_caches(
        &self,
        tx: &mut Transaction,
        portfolio_ids: &[i64],
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<()> {
        if portfolio_ids.is_empty() {
            return Ok(());
        }
        let query = self.sql(
            "INSERT INTO portfolio_caches (portfolio_id, version, computed_at, expires_at)
             SELECT value::bigint, 1, ?2::timestamptz, ?3::timestamptz FROM json_each(?1::jsonb) WHERE true
             ON CONFLICT (portfolio_id) DO UPDATE SET version = portfolio_caches.version + 1,
               computed_at = excluded.computed_at, expires_at = excluded.expires_at",
        );
        let query = query.bind(id_list(portfolio_ids.iter().copied()));
        query.bind(now).bind(expires).execute_in(tx).await.map(drop)
    }

    /// Lets the cache entries of portfolios live on; returns the portfolios that have them.
    pub(crate) async fn extend_portfolio_caches(
        &self,
        portfolio_ids: &[i64],
        expires: Timestamp,
    ) -> Result<HashSet<i64>> {
        if portfolio_ids.is_empty() {
            return Ok(HashSet::new());
        }
        let query = self.sql(
            "UPDATE portfolio_caches SET expires_at = ?2::timestamptz
             WHERE portfolio_id IN (SELECT value::bigint FROM json_each(?1::jsonb)) RETURNING portfolio_id",
        );
        let query = query.bind(id_list(portfolio_ids.iter().copied()));
        let rows = query.bind(expires).all().await?;
        Ok(rows.iter().map(|row| row.get("portfolio_id")).collect())
    }

    /// The value of the entry under a key; `None` when that is no entry of a portfolio, or the portfolio has none.
    pub(super) async fn cached_of_portfolio(&self, key: &str) -> Result<Option<String>> {
        let Some((id, part)) = portfolio_part(key) else {
            return Ok(None);
        };
        let query = self.sql(
            "SELECT payload::text AS payload, packed FROM portfolio_caches JOIN analytics ON scope_id = portfolio_id
             WHERE portfolio_id = ?1 AND scope = 'portfolio' AND period = ?2",
        );
        let row = query.bind(id).bind(ALL_PERIODS).first().await?;
        Ok(row.and_then(|row| stored::cached(&Stored::of(&row), part)))
    }

    /// Lets the entries of all portfolios of these portfolios' owners run out; returns how many there are.
    pub(super) async fn expire_portfolio_caches(
        &self,
        portfolio_ids: &[i64],
        now: Timestamp,
    ) -> Result<u64> {
        let query = self.sql(
            "UPDATE portfolio_caches SET expires_at = ?2::timestamptz
             WHERE expires_at > ?2::timestamptz AND portfolio_id IN (SELECT id FROM portfolios WHERE user_id IN (
               SELECT user_id FROM portfolios WHERE id IN (SELECT value::bigint FROM json_each(?1::jsonb))))",
        );
        let query = query.bind(id_list(portfolio_ids.iter().copied()));
        Ok(query.bind(now).execute().await? * ENTRIES)
    }
}

/// How many entries a row stands for.
pub(super) const ENTRIES: u64 = CACHED_PARTS.len() as u64;

/// The portfolio and the part that a key names.
fn portfolio_part(key: &str) -> Option<(i64, &'static str)> {
    let (id, named) = key.strip_prefix("portfolio:")?.split_once(':')?;
    let part = CACHED_PARTS.into_iter().find(|part| *part == named)?;
    Some((id.parse().ok()?, part))
}

#[cfg(test)]
mod tests {
    use super::portfolio_part;

    #[test]
    fn keys_of_other_things_are_no_parts_of_portfolios() {
        assert_eq!(portfolio_part("portfolio:7:summary"), Some((7, "summary")));
        for other in [
            "portfolio:7:other",
            "user:7:summary",
            "portfolio:x:summary",
            "summary",
        ] {
            assert_eq!(portfolio_part(other), None, "{other}");
        }
    }
}
