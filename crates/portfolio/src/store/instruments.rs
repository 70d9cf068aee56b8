//! Assets.

use std::collections::HashMap;

use calendar::Calendar;

use super::Store;
use crate::error::Result;
use crate::money::Currency;

/// An asset to be stored; symbol and exchange identify.
#[derive(Clone, Debug)]
pub struct NewAsset<'a> {
    pub symbol: &'a str,
    /// The exchange's code where a symbol is traded on several; empty otherwise.
    pub exchange: &'a str,
    pub name: &'a str,
    /// Such as `equity`.
    pub class: &'a str,
    pub sector: Option<&'a str>,
    pub country: Option<&'a str>,
    pub currency: Currency,
    /// The calendar of its exchange.
    pub calendar: &'a str,
}

impl<'a> NewAsset<'a> {
    /// A share of which no more is known than its symbol, traded in New York.
    pub fn share(symbol: &'a str, currency: Currency) -> NewAsset<'a> {
        NewAsset {
            symbol,
            exchange: "",
            name: symbol,
            class: "equity",
            sector: None,
            country: None,
            currency,
            calendar: "XNYS",
        }
    }
}

impl Store {
    /// Adds an asset, or updates the one with this symbol on this exchange; returns the id. A retired one is back. Its calendar
    /// must be a known one.
    pub async fn put_asset(&self, asset: &NewAsset<'_>) -> Result<i64> {
        Calendar::named(asset.calendar)?;
        let query = self.sql(
            "INSERT INTO assets (symbol, name, asset_class, sector, country, currency, calendar, exchange) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (symbol, exchange) DO UPDATE SET name = excluded.name, asset_class = excluded.asset_class,
               sector = excluded.sector, country = excluded.country, currency = excluded.currency, calendar = excluded.calendar, is_active = TRUE
             RETURNING id AS found",
        );
        let query = query
            .bind(asset.symbol)
            .bind(asset.name)
            .bind(asset.class)
            .bind(asset.sector)
            .bind(asset.country);
        let query = query
            .bind(asset.currency)
            .bind(asset.calendar)
            .bind(asset.exchange);
        query.found().await
    }

    /// Ids of all assets by symbol; of several exchanges the oldest row.
    pub async fn asset_ids(&self) -> Result<HashMap<String, i64>> {
        let query = self.sql("SELECT symbol, min(id) AS id FROM assets GROUP BY symbol");
        Ok(query
            .all()
            .await?
            .iter()
            .map(|row| (row.get("symbol"), row.get("id")))
            .collect())
    }
}
