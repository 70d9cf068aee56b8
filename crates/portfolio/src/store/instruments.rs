//! Assets.

use std::collections::HashMap;

use calendar::Calendar;

use super::Store;
use super::codec::Reader;
use super::sql::Row;
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

    /// As it is stored.
    pub fn of(row: &'a AssetRow) -> NewAsset<'a> {
        NewAsset {
            symbol: &row.symbol,
            exchange: &row.exchange,
            name: &row.name,
            class: &row.class,
            sector: row.sector.as_deref(),
            country: row.country.as_deref(),
            currency: row.currency,
            calendar: &row.calendar,
        }
    }
}

/// A stored asset.
#[derive(Clone, Debug)]
pub struct AssetRow {
    pub symbol: String,
    pub exchange: String,
    pub name: String,
    pub class: String,
    pub sector: Option<String>,
    pub country: Option<String>,
    pub currency: Currency,
    pub calendar: String,
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

    /// The asset with this symbol on this exchange.
    pub async fn asset_row(&self, symbol: &str, exchange: &str) -> Result<Option<AssetRow>> {
        let query = self.sql(
            "SELECT symbol, exchange, name, asset_class, sector, country, currency, calendar FROM assets WHERE symbol = ?1 AND exchange = ?2",
        );
        let found = query.bind(symbol).bind(exchange).first().await?;
        found.map(|row| asset(&row)).transpose()
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

fn asset(row: &Row) -> Result<AssetRow> {
    let symbol: String = row.get("symbol");
    let reader = Reader {
        table: "assets",
        id: symbol.clone(),
        row,
    };
    Ok(AssetRow {
        currency: reader.required("currency")?,
        symbol,
        exchange: row.get("exchange"),
        name: row.get("name"),
        class: row.get("asset_class"),
        sector: row.get("sector"),
        country: row.get("country"),
        calendar: row.get("calendar"),
    })
}
