//! What providers bring: bars with actions, quotes and rates, each written whole or not at all, and what was asked when.

use std::collections::HashSet;

use jiff::{Timestamp, Unit};

use super::codec::Reader;
use super::{PriceRow, RateRow, Store, Transaction};
use crate::decimal::Decimal;
use crate::error::Result;
use crate::market::Action;

/// Rows written at once.
const BATCH: usize = 1000;

/// Daily bars and actions of one asset.
#[derive(Clone, Copy, Debug)]
pub struct NewBars<'a> {
    pub asset_id: i64,
    pub prices: &'a [PriceRow],
    /// True when the prices are adjusted; they never replace prices as traded.
    pub adjusted: bool,
    pub actions: &'a [Action],
    /// The provider.
    pub source: &'a str,
}

/// How many rows were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub inserted: u64,
    pub updated: u64,
    pub unchanged: u64,
    /// Actions that were new or changed.
    pub actions: u64,
}

/// A quote to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewQuote<'a> {
    pub asset_id: i64,
    pub price: Decimal,
    pub previous_close: Option<Decimal>,
    /// `pre`, `regular`, `post` or `closed`.
    pub session: &'a str,
    pub quoted_at: Timestamp,
    /// The provider.
    pub source: &'a str,
}

/// What is remembered of a question to a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    /// The provider wants to be left alone until then.
    pub next_allowed_at: Option<Timestamp>,
    pub last_error: Option<String>,
}

impl Store {
    /// Writes bars and actions of one asset in one transaction. Equal rows are not rewritten; a corrected one changes the
    /// asset's price revision.
    pub async fn put_bars(&self, bars: &NewBars<'_>, now: Timestamp) -> Result<Written> {
        let mut written = Written::default();
        let mut tx = self.begin().await?;
        for batch in bars.prices.chunks(BATCH) {
            let there = self.stored_days(&mut tx, bars.asset_id, batch).await?;
            let changed = self
                .put_prices(
                    &mut tx,
                    bars.asset_id,
                    batch,
                    bars.adjusted,
                    bars.source,
                    now,
                )
                .await?;
            let inserted = batch.len() as u64 - there;
            written.inserted += inserted;
            written.updated += changed - inserted;
            written.unchanged += batch.len() as u64 - changed;
        }
        for action in bars.actions {
            let new = self
                .put_action(&mut tx, bars.asset_id, action, bars.source)
                .await?;
            written.actions += u64::from(new);
        }
        self.commit(tx).await?;
        Ok(written)
    }

    /// How many of these days an asset has prices of.
    async fn stored_days(
        &self,
        tx: &mut Transaction,
        asset_id: i64,
        rows: &[PriceRow],
    ) -> Result<u64> {
        let query = self.sql(
            "SELECT count(*) AS found FROM prices WHERE asset_id = ?1
               AND prices.date IN (SELECT (value ->> 'date')::date FROM json_each(?2::jsonb))",
        );
        let query = query.bind(asset_id).bind(serde_json::to_string(rows)?);
        let count: i64 = query.found_in(tx).await?;
        Ok(count.unsigned_abs())
    }

    /// Writes exchange rates to the euro in one transaction; returns how many were new or changed.
    pub async fn put_rate_rows(&self, rows: &[RateRow], source: &str) -> Result<u64> {
        let mut written = 0;
        let mut tx = self.begin().await?;
        for batch in rows.chunks(BATCH) {
            written += self.put_rates(&mut tx, batch, source).await?;
        }
        self.commit(tx).await?;
        Ok(written)
    }

    /// Stores a quote unless a newer one is there; true when there is a new price or time.
    pub async fn put_quote(&self, quote: &NewQuote<'_>, now: Timestamp) -> Result<bool> {
        let mut tx = self.begin().await?;
        let select = "SELECT count(*) AS found FROM quotes WHERE asset_id = ?1 AND (quoted_at > ?2::timestamptz
               OR (quoted_at = ?2::timestamptz AND price = ?3::numeric))";
        let query = self.sql(select).bind(quote.asset_id);
        let query = query.bind(seconds(quote.quoted_at)).bind(quote.price);
        let known: i64 = query.found_in(&mut tx).await?;
        let query = self.sql(
            "INSERT INTO quotes (asset_id, price, previous_close, session, quoted_at, source, fetched_at)
             VALUES (?1, ?2::numeric, ?3::numeric, ?4, ?5::timestamptz, ?6, ?7::timestamptz)
             ON CONFLICT (asset_id) DO UPDATE SET price = excluded.price, previous_close = excluded.previous_close,
               session = excluded.session, quoted_at = excluded.quoted_at, source = excluded.source, fetched_at = excluded.fetched_at
             WHERE quotes.quoted_at <= excluded.quoted_at",
        );
        let query = query
            .bind(quote.asset_id)
            .bind(quote.price)
            .bind(quote.previous_close)
            .bind(quote.session)
            .bind(seconds(quote.quoted_at));
        let query = query.bind(quote.source).bind(seconds(now));
        query.execute_in(&mut tx).await?;
        self.commit(tx).await?;
        Ok(known == 0)
    }

    /// Assets whose quotes were fetched after a time.
    pub async fn quoted_since(&self, time: Timestamp) -> Result<HashSet<i64>> {
        let query = self.sql("SELECT asset_id FROM quotes WHERE fetched_at > ?1::timestamptz");
        let rows = query.bind(seconds(time)).all().await?;
        Ok(rows.iter().map(|row| row.get("asset_id")).collect())
    }

    /// What is remembered of a question to a provider; nothing when it was never asked.
    pub async fn mark(&self, provider: &str, key: &str) -> Result<Mark> {
        let query = self.sql(
            "SELECT etag, last_modified, next_allowed_at::text, last_error FROM provider_cache
             WHERE provider = ?1 AND cache_key = ?2",
        );
        let Some(row) = query.bind(provider).bind(key).first().await? else {
            return Ok(Mark::default());
        };
        let reader = Reader {
            table: "provider_cache",
            id: key.to_owned(),
            row: &row,
        };
        Ok(Mark {
            etag: row.get("etag"),
            last_modified: row.get("last_modified"),
            next_allowed_at: reader.optional("next_allowed_at")?,
            last_error: row.get("last_error"),
        })
    }

    /// Remembers a question to a provider. Other questions whose keys begin with `kind` are forgotten.
    pub async fn put_mark(
        &self,
        provider: &str,
        (kind, key): (&str, &str),
        mark: &Mark,
        now: Timestamp,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        let delete = "DELETE FROM provider_cache WHERE provider = ?1 AND cache_key <> ?3 AND substr(cache_key, 1, length(?2::text)) = ?2::text";
        let query = self.sql(delete).bind(provider).bind(kind).bind(key);
        query.execute_in(&mut tx).await?;
        let query = self.sql(
            "INSERT INTO provider_cache (provider, cache_key, etag, last_modified, fetched_at, next_allowed_at, last_error)
             VALUES (?1, ?2, ?3, ?4, ?5::timestamptz, ?6::timestamptz, ?7)
             ON CONFLICT (provider, cache_key) DO UPDATE SET etag = excluded.etag, last_modified = excluded.last_modified,
               fetched_at = excluded.fetched_at, next_allowed_at = excluded.next_allowed_at, last_error = excluded.last_error",
        );
        let query = query.bind(provider).bind(key).bind(mark.etag.clone());
        let query = query.bind(mark.last_modified.clone()).bind(seconds(now));
        let query = query
            .bind(mark.next_allowed_at.map(seconds))
            .bind(mark.last_error.clone());
        query.execute_in(&mut tx).await?;
        self.commit(tx).await
    }
}

/// Whole seconds, so that SQLite's texts compare as times do.
fn seconds(time: Timestamp) -> Timestamp {
    time.round(Unit::Second).unwrap_or(time)
}
