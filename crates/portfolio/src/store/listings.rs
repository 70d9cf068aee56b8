//! Assets as those see them who fetch market data: where they trade, who knows them, what is stored already.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::Store;
use super::codec::{Reader, id_list};
use super::sql::Row;
use crate::decimal::Decimal;
use crate::error::Result;
use crate::money::Currency;

/// An active asset.
#[derive(Clone, Debug)]
pub struct Listing {
    pub id: i64,
    pub symbol: String,
    pub currency: Currency,
    /// The calendar of its exchange.
    pub calendar: String,
    /// The provider that is asked first.
    pub provider: Option<String>,
    /// Its name with that provider.
    pub provider_symbol: Option<String>,
    /// The days of the first and the last stored price.
    pub first_price: Option<Date>,
    pub last_price: Option<Date>,
    /// JSON.
    pub info: Option<String>,
    pub info_fetched_at: Option<Timestamp>,
}

/// Facts of an asset to be stored; those that are there already stay.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewFacts<'a> {
    pub name: Option<&'a str>,
    pub sector: Option<&'a str>,
    pub country: Option<&'a str>,
    pub isin: Option<&'a str>,
    pub figi: Option<&'a str>,
    /// Everything that the provider tells, as a JSON object.
    pub info: &'a str,
}

/// An asset that an active portfolio holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub portfolio_id: i64,
    pub asset_id: i64,
    /// The day of the portfolio's first row about it.
    pub since: Date,
}

impl Store {
    /// All active assets, by symbol.
    pub async fn listings(&self) -> Result<Vec<Listing>> {
        let query = self.sql(
            "SELECT id, symbol, currency, calendar, provider, provider_symbol, info::text, info_fetched_at::text,
               (SELECT min(date)::text FROM prices WHERE asset_id = assets.id) AS first_price,
               (SELECT max(date)::text FROM prices WHERE asset_id = assets.id) AS last_price
             FROM assets WHERE is_active ORDER BY symbol, id",
        );
        let rows = query.all().await?;
        rows.iter().map(listing).collect()
    }

    /// Stores facts of an asset.
    pub async fn put_facts(
        &self,
        asset_id: i64,
        facts: &NewFacts<'_>,
        now: Timestamp,
    ) -> Result<()> {
        let query = self.sql(
            "UPDATE assets SET name = CASE WHEN name = '' OR name = symbol THEN coalesce(?2::text, name) ELSE name END,
               sector = coalesce(sector, ?3::text), country = coalesce(country, ?4::text), figi = coalesce(figi, ?5::text),
               isin = coalesce(isin, (SELECT ?6::text WHERE NOT EXISTS (SELECT 1 FROM assets WHERE isin = ?6::text))),
               info = ?7::jsonb, info_fetched_at = ?8::timestamptz
             WHERE id = ?1",
        );
        let query = query.bind(asset_id).bind(facts.name.map(str::to_owned));
        let query = query
            .bind(facts.sector.map(str::to_owned))
            .bind(facts.country.map(str::to_owned))
            .bind(facts.figi.map(str::to_owned))
            .bind(facts.isin.map(str::to_owned));
        query.bind(facts.info).bind(now).execute().await?;
        Ok(())
    }

    /// What active portfolios hold, going by their rows. An asset whose splits could leave something after its rows have
    /// cancelled out counts as held.
    pub async fn held(&self) -> Result<Vec<Held>> {
        let query = self.sql(
            "SELECT portfolio_id, asset_id, min(trade_date)::text AS since FROM (
               SELECT portfolio_id, asset_id, trade_date, CASE WHEN type IN ('buy', 'transfer_in') THEN quantity
                 WHEN type IN ('sell', 'transfer_out') THEN -quantity ELSE 0 END AS moved,
                 CASE WHEN type IN ('split', 'spinoff', 'symbol_change') THEN 1 ELSE 0 END AS reshaped
               FROM transactions JOIN portfolio_accounts ON portfolio_accounts.account_id = transactions.account_id
               WHERE asset_id IS NOT NULL
               UNION ALL
               SELECT portfolio_id, to_asset_id, trade_date, 0, 1
               FROM transactions JOIN portfolio_accounts ON portfolio_accounts.account_id = transactions.account_id
               WHERE to_asset_id IS NOT NULL
             ) AS movements
             WHERE portfolio_id IN (SELECT id FROM portfolios WHERE is_active)
             GROUP BY portfolio_id, asset_id
             HAVING abs(sum(moved)) > 0.000000001 OR sum(reshaped) > 0
               OR asset_id IN (SELECT corporate_actions.asset_id FROM corporate_actions WHERE corporate_actions.type = 'split')
             ORDER BY portfolio_id, asset_id",
        );
        let rows = query.all().await?;
        rows.iter().map(held).collect()
    }

    /// Every currency of a user, account, portfolio, asset or row.
    pub async fn currencies(&self) -> Result<BTreeSet<Currency>> {
        let query = self.sql(
            "SELECT base_currency AS code FROM users UNION SELECT base_currency FROM portfolios UNION SELECT currency FROM accounts
             UNION SELECT currency FROM assets UNION SELECT currency FROM transactions
             UNION SELECT to_currency FROM transactions WHERE to_currency IS NOT NULL",
        );
        let rows = query.all().await?;
        let code = |row: &Row| {
            let reader = Reader {
                table: "transactions",
                id: "currencies".to_owned(),
                row,
            };
            reader.required("code")
        };
        rows.iter().map(code).collect()
    }

    /// The days in `[from, to]` of which an asset has a price.
    pub async fn price_days(&self, asset_id: i64, from: Date, to: Date) -> Result<BTreeSet<Date>> {
        let query = self.sql(
            "SELECT date::text FROM prices WHERE asset_id = ?1 AND prices.date BETWEEN ?2::date AND ?3::date",
        );
        let rows = query.bind(asset_id).bind(from).bind(to).all().await?;
        let day = |row: &Row| price_reader(asset_id, row).required("date");
        rows.iter().map(day).collect()
    }

    /// The last close as traded before a day.
    pub async fn close_before(&self, asset_id: i64, date: Date) -> Result<Option<Decimal>> {
        let query = self.sql(
            "SELECT close::text FROM prices WHERE asset_id = ?1 AND prices.date < ?2::date AND NOT adjusted
             ORDER BY prices.date DESC LIMIT 1",
        );
        let row = query.bind(asset_id).bind(date).first().await?;
        row.map(|row| price_reader(asset_id, &row).required("close"))
            .transpose()
    }

    /// Lets the cached overviews of these portfolios' owners, and the global ones, run out; they are served until somebody
    /// refreshes them. Returns how many there are.
    pub async fn expire_overviews(&self, portfolio_ids: &[i64], now: Timestamp) -> Result<u64> {
        let query = self.sql(
            "UPDATE cache_entries SET expires_at = ?2::timestamptz
             WHERE expires_at > ?2::timestamptz AND (user_id IS NULL OR user_id IN (
               SELECT user_id FROM portfolios WHERE id IN (SELECT value::bigint FROM json_each(?1::jsonb))))",
        );
        let query = query.bind(id_list(portfolio_ids.iter().copied()));
        let others = query.bind(now).execute().await?;
        Ok(others + self.expire_portfolio_caches(portfolio_ids, now).await?)
    }
}

fn price_reader(asset_id: i64, row: &Row) -> Reader<'_> {
    Reader {
        table: "prices",
        id: format!("asset {asset_id}"),
        row,
    }
}

fn listing(row: &Row) -> Result<Listing> {
    let id: i64 = row.get("id");
    let reader = Reader {
        table: "assets",
        id: id.to_string(),
        row,
    };
    Ok(Listing {
        id,
        symbol: row.get("symbol"),
        currency: reader.required("currency")?,
        calendar: row.get("calendar"),
        provider: row.get("provider"),
        provider_symbol: row.get("provider_symbol"),
        first_price: reader.optional("first_price")?,
        last_price: reader.optional("last_price")?,
        info: row.get("info"),
        info_fetched_at: reader.optional("info_fetched_at")?,
    })
}

fn held(row: &Row) -> Result<Held> {
    let asset_id: i64 = row.get("asset_id");
    let reader = Reader {
        table: "transactions",
        id: format!("asset {asset_id}"),
        row,
    };
    Ok(Held {
        portfolio_id: row.get("portfolio_id"),
        asset_id,
        since: reader.required("since")?,
    })
}
