//! Prices, corporate actions and exchange rates: writing in batches, reading into a [`Market`].

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::codec::{Reader, id_list};
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
    /// Writes prices of one asset and returns how many were new or changed.
    pub(crate) async fn put_prices(
        &self,
        tx: &mut Transaction,
        asset_id: i64,
        rows: &[PriceRow],
        source: &str,
        now: Timestamp,
    ) -> Result<u64> {
        let query = sqlx::query(
            "INSERT INTO prices (asset_id, date, open, high, low, close, volume, source, fetched_at)
             SELECT ?1, value ->> 'date', value ->> 'open', value ->> 'high', value ->> 'low', value ->> 'close', value ->> 'volume', ?3, ?4
             FROM json_each(?2) WHERE true
             ON CONFLICT (asset_id, date) DO UPDATE SET open = excluded.open, high = excluded.high, low = excluded.low,
               close = excluded.close, volume = excluded.volume, source = excluded.source, fetched_at = excluded.fetched_at
             WHERE close <> excluded.close OR open IS NOT excluded.open OR high IS NOT excluded.high
               OR low IS NOT excluded.low OR volume IS NOT excluded.volume",
        );
        let query = query
            .bind(asset_id)
            .bind(serde_json::to_string(rows)?)
            .bind(source)
            .bind(now.to_string());
        Ok(query
            .execute(&mut **tx)
            .await
            .map_err(|error| self.failed(error))?
            .rows_affected())
    }

    /// Writes rates and returns how many were new or changed.
    pub(crate) async fn put_rates(
        &self,
        tx: &mut Transaction,
        rows: &[RateRow],
        source: &str,
    ) -> Result<u64> {
        let query = sqlx::query(
            "INSERT INTO fx_rates (base, quote, date, rate, source)
             SELECT 'EUR', value ->> 'currency', value ->> 'date', value ->> 'rate', ?2 FROM json_each(?1) WHERE true
             ON CONFLICT (base, quote, date) DO UPDATE SET rate = excluded.rate, source = excluded.source WHERE rate <> excluded.rate",
        );
        let query = query.bind(serde_json::to_string(rows)?).bind(source);
        Ok(query
            .execute(&mut **tx)
            .await
            .map_err(|error| self.failed(error))?
            .rows_affected())
    }

    /// Writes one action; true when it was new or changed.
    pub(crate) async fn put_action(
        &self,
        tx: &mut Transaction,
        asset_id: i64,
        action: &Action,
        source: &str,
    ) -> Result<bool> {
        let query = sqlx::query(
            "INSERT INTO corporate_actions (asset_id, ex_date, type, value, currency, source) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (asset_id, ex_date, type) DO UPDATE SET value = excluded.value, currency = excluded.currency, source = excluded.source
             WHERE value <> excluded.value OR currency IS NOT excluded.currency",
        );
        let kind = match action.kind {
            ActionKind::Split => "split",
            ActionKind::Dividend => "dividend",
        };
        let query = query
            .bind(asset_id)
            .bind(action.ex_date.to_string())
            .bind(kind)
            .bind(action.value.to_string());
        let query = query
            .bind(action.currency.map(|currency| currency.to_string()))
            .bind(source);
        Ok(query
            .execute(&mut **tx)
            .await
            .map_err(|error| self.failed(error))?
            .rows_affected()
            > 0)
    }

    /// The given assets with their whole histories, each read once, and all exchange rates.
    pub async fn market(&self, asset_ids: &[i64]) -> Result<Market> {
        let ids = id_list(asset_ids.iter().copied());
        let mut closes = self.closes(&ids).await?;
        let mut actions = self.actions(&ids).await?;
        let query = sqlx::query(
            "SELECT id, symbol, currency, asset_class, sector, country FROM assets
             WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY symbol, id",
        );
        let rows = query
            .bind(&ids)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        let assets: Result<Vec<Asset>> = rows
            .iter()
            .map(|row| asset(row, &mut closes, &mut actions))
            .collect();
        Ok(Market::new(assets?, self.rates().await?))
    }

    async fn closes(&self, ids: &str) -> Result<HashMap<i64, Vec<(Date, Decimal)>>> {
        let query = sqlx::query(
            "SELECT asset_id, date, close FROM prices
             WHERE asset_id IN (SELECT value FROM json_each(?1)) AND adjusted = 0 ORDER BY asset_id, date",
        );
        let rows = query
            .bind(ids)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        let mut closes: HashMap<i64, Vec<(Date, Decimal)>> = HashMap::new();
        for row in &rows {
            let asset_id: i64 = row.get("asset_id");
            let reader = Reader {
                table: "prices",
                id: format!("asset {asset_id}"),
                row,
            };
            closes
                .entry(asset_id)
                .or_default()
                .push((reader.required("date")?, reader.required("close")?));
        }
        Ok(closes)
    }

    async fn actions(&self, ids: &str) -> Result<HashMap<i64, Vec<Action>>> {
        let query = sqlx::query(
            "SELECT id, asset_id, ex_date, type, value, currency FROM corporate_actions
             WHERE asset_id IN (SELECT value FROM json_each(?1)) ORDER BY asset_id, ex_date, id",
        );
        let rows = query
            .bind(ids)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
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
        let query = sqlx::query(
            "SELECT quote, date, rate FROM fx_rates WHERE base = 'EUR' ORDER BY quote, date",
        );
        let rows = query
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
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

    /// What input hashes depend on, by asset id: the facts of an asset, its actions, and its prices (by count, last day
    /// and last change).
    pub(crate) async fn asset_revisions(&self) -> Result<HashMap<i64, String>> {
        let query = sqlx::query_as::<_, (i64, String)>(
            "SELECT assets.id,
               coalesce((SELECT count(*) || ':' || max(date) || ':' || max(fetched_at) FROM prices WHERE asset_id = assets.id), '') || '|' ||
               coalesce((SELECT group_concat(ex_date || type || value || coalesce(currency, ''), ',')
                 FROM (SELECT * FROM corporate_actions WHERE asset_id = assets.id ORDER BY ex_date, type)), '') || '|' ||
               symbol || '|' || currency || '|' || asset_class || '|' || coalesce(sector, '') || '|' || coalesce(country, '')
             FROM assets",
        );
        Ok(query
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.failed(error))?
            .into_iter()
            .collect())
    }
}

fn asset(
    row: &SqliteRow,
    closes: &mut HashMap<i64, Vec<(Date, Decimal)>>,
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
        closes: Carried::new(closes.remove(&id).unwrap_or_default()),
        actions: actions.remove(&id).unwrap_or_default(),
    })
}

fn action(row: &SqliteRow) -> Result<Action> {
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
