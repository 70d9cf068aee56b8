//! Prices, corporate actions and exchange rates: writing in batches, reading into a [`Market`].

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::closes::{Closes, MarketRead};
use super::codec::{Reader, id_list};
use super::sql::Row;
use super::{Store, Transaction};
use crate::carried::Carried;
use crate::decimal::Decimal;
use crate::error::Result;
use crate::fx::RateTable;
use crate::market::{Action, ActionKind, Asset, Market};
use crate::money::Currency;

/// One day of an asset.
#[derive(Clone, Debug, Serialize)]
pub struct PriceRow {
    pub date: Date,
    pub open: Option<Decimal>,
    pub high: Option<Decimal>,
    pub low: Option<Decimal>,
    pub close: Decimal,
    pub volume: Option<i64>,
}

/// Units of a currency per euro on a day.
#[derive(Clone, Debug, Serialize)]
pub struct RateRow {
    pub currency: Currency,
    pub date: Date,
    pub rate: Decimal,
}

impl Store {
    /// Writes prices of one asset and returns how many were new or changed. Adjusted ones never replace prices as traded.
    pub(crate) async fn put_prices(
        &self,
        tx: &mut Transaction,
        asset_id: i64,
        rows: &[PriceRow],
        adjusted: bool,
        source: &str,
        now: Timestamp,
    ) -> Result<u64> {
        let query = self.sql(
            "INSERT INTO prices (asset_id, date, open, high, low, close, volume, source, fetched_at, adjusted)
             SELECT ?1, (value ->> 'date')::date, (value ->> 'open')::numeric, (value ->> 'high')::numeric, (value ->> 'low')::numeric,
               (value ->> 'close')::numeric, (value ->> 'volume')::bigint, ?3, ?4::timestamptz, ?5
             FROM json_each(?2::jsonb) WHERE true
             ON CONFLICT (asset_id, date) DO UPDATE SET open = excluded.open, high = excluded.high, low = excluded.low,
               close = excluded.close, volume = excluded.volume, source = excluded.source, fetched_at = excluded.fetched_at,
               adjusted = excluded.adjusted
             WHERE (prices.adjusted OR NOT excluded.adjusted) AND (prices.adjusted <> excluded.adjusted
               OR prices.close <> excluded.close OR prices.open IS DISTINCT FROM excluded.open OR prices.high IS DISTINCT FROM excluded.high
               OR prices.low IS DISTINCT FROM excluded.low OR prices.volume IS DISTINCT FROM excluded.volume)",
        );
        let query = query
            .bind(asset_id)
            .bind(serde_json::to_string(rows)?)
            .bind(source)
            .bind(now)
            .bind(adjusted);
        query.execute_in(tx).await
    }

    /// Writes rates and returns how many were new or changed.
    pub(crate) async fn put_rates(
        &self,
        tx: &mut Transaction,
        rows: &[RateRow],
        source: &str,
    ) -> Result<u64> {
        let query = self.sql(
            "INSERT INTO fx_rates (base, quote, date, rate, source)
             SELECT 'EUR', value ->> 'currency', (value ->> 'date')::date, (value ->> 'rate')::numeric, ?2 FROM json_each(?1::jsonb) WHERE true
             ON CONFLICT (base, quote, date) DO UPDATE SET rate = excluded.rate, source = excluded.source
             WHERE fx_rates.rate <> excluded.rate",
        );
        let query = query.bind(serde_json::to_string(rows)?).bind(source);
        query.execute_in(tx).await
    }

    /// Writes one action; true when it was new or changed.
    pub(crate) async fn put_action(
        &self,
        tx: &mut Transaction,
        asset_id: i64,
        action: &Action,
        source: &str,
    ) -> Result<bool> {
        let query = self.sql(
            "INSERT INTO corporate_actions (asset_id, ex_date, type, value, currency, source) VALUES (?1, ?2::date, ?3, ?4::numeric, ?5, ?6)
             ON CONFLICT (asset_id, ex_date, type) DO UPDATE SET value = excluded.value, currency = excluded.currency, source = excluded.source
             WHERE corporate_actions.value <> excluded.value OR corporate_actions.currency IS DISTINCT FROM excluded.currency",
        );
        let kind = match action.kind {
            ActionKind::Split => "split",
            ActionKind::Dividend => "dividend",
        };
        let query = query
            .bind(asset_id)
            .bind(action.ex_date)
            .bind(kind)
            .bind(action.value);
        let query = query.bind(action.currency).bind(source);
        Ok(query.execute_in(tx).await? > 0)
    }

    /// Whether some of an asset's actions are not stored yet, or otherwise.
    pub async fn has_new_actions(&self, asset_id: i64, actions: &[Action]) -> Result<bool> {
        if actions.is_empty() {
            return Ok(false);
        }
        let mut stored = self.actions(&id_list([asset_id])).await?;
        let stored = stored.remove(&asset_id).unwrap_or_default();
        Ok(actions.iter().any(|action| !stored.contains(action)))
    }

    /// The given assets with their whole histories, each read once, and all exchange rates.
    pub async fn market(&self, asset_ids: &[i64]) -> Result<Market> {
        Ok(self.market_read(asset_ids).await?.market)
    }

    /// As [`Store::market`], with what its prices were read at.
    pub(crate) async fn market_read(&self, asset_ids: &[i64]) -> Result<MarketRead> {
        let ids = id_list(asset_ids.iter().copied());
        let Closes {
            by_asset: mut closes,
            stamps,
            absent,
            complaint,
        } = self.closes(asset_ids).await?;
        let mut actions = self.actions(&ids).await?;
        let query = self.sql(
            "SELECT id, symbol, currency, asset_class, sector, country FROM assets
             WHERE id IN (SELECT value::bigint FROM json_each(?1::jsonb)) ORDER BY symbol, id",
        );
        let rows = query.bind(ids.as_str()).all().await?;
        let assets: Result<Vec<Asset>> = rows
            .iter()
            .map(|row| asset(row, &mut closes, &mut actions))
            .collect();
        Ok(MarketRead {
            market: Market::new(assets?, self.rates().await?),
            complaint,
            stamps,
            absent,
        })
    }

    async fn actions(&self, ids: &str) -> Result<HashMap<i64, Vec<Action>>> {
        let query = self.sql(
            "SELECT id, asset_id, ex_date::text, type, value::text, currency FROM corporate_actions
             WHERE asset_id IN (SELECT value::bigint FROM json_each(?1::jsonb)) ORDER BY asset_id, corporate_actions.ex_date, id",
        );
        let rows = query.bind(ids).all().await?;
        let mut actions: HashMap<i64, Vec<Action>> = HashMap::new();
        for row in &rows {
            actions
                .entry(row.get("asset_id"))
                .or_default()
                .push(action(row)?);
        }
        Ok(actions)
    }

    /// All exchange rates of the euro table.
    pub async fn rates(&self) -> Result<RateTable> {
        let query = self.sql(
            "SELECT quote, date::text, rate::text FROM fx_rates WHERE base = 'EUR' ORDER BY quote, fx_rates.date",
        );
        let rows = query.all().await?;
        let mut pairs: BTreeMap<Currency, Vec<(Date, Decimal)>> = BTreeMap::new();
        for row in &rows {
            let reader = Reader {
                table: "fx_rates",
                id: row.get("date"),
                row,
            };
            pairs
                .entry(reader.required("quote")?)
                .or_default()
                .push((reader.required("date")?, reader.required("rate")?));
        }
        Ok(RateTable::new(
            pairs
                .into_iter()
                .map(|(currency, pairs)| (currency, Carried::new(pairs)))
                .collect(),
        ))
    }
}

fn asset(
    row: &Row,
    closes: &mut HashMap<i64, Carried<Decimal>>,
    actions: &mut HashMap<i64, Vec<Action>>,
) -> Result<Asset> {
    let id: i64 = row.get("id");
    let reader = Reader {
        table: "assets",
        id: id.to_string(),
        row,
    };
    Ok(Asset {
        id,
        symbol: row.get("symbol"),
        currency: reader.required("currency")?,
        class: row.get("asset_class"),
        sector: row.get("sector"),
        country: row.get("country"),
        closes: closes.remove(&id).unwrap_or_default(),
        actions: actions.remove(&id).unwrap_or_default(),
    })
}

fn action(row: &Row) -> Result<Action> {
    let id: i64 = row.get("id");
    let reader = Reader {
        table: "corporate_actions",
        id: id.to_string(),
        row,
    };
    let kind: String = row.get("type");
    Ok(Action {
        ex_date: reader.required("ex_date")?,
        kind: if kind == "split" {
            ActionKind::Split
        } else {
            ActionKind::Dividend
        },
        value: reader.required("value")?,
        currency: reader.optional("currency")?,
    })
}
