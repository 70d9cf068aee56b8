//! Snapshots of portfolios and their positions.

use std::collections::{BTreeMap, HashMap};

use futures_util::future::join;
use jiff::Timestamp;
use jiff::civil::Date;

use super::codec::{Reader, id_list};
use super::sql::{Query, Row};
use super::{Store, Transaction};
use crate::decimal::Decimal;
use crate::error::Result;
use crate::money::Currency;

/// Snapshots that one statement writes.
const ROWS_TOGETHER: usize = 64;
/// Positions that one statement writes.
const TOGETHER: usize = 256;

/// A portfolio at the end of a day. Money is in base currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    pub portfolio_id: i64,
    pub date: Date,
    pub base_currency: Currency,
    /// Net asset value: `cash` and `invested`.
    pub nav: Decimal,
    pub cash: Decimal,
    /// The value of positions.
    pub invested: Decimal,
    pub cost_basis: Decimal,
    pub unrealised: Decimal,
    pub realised_to_date: Decimal,
    /// Dividends and interest, before tax.
    pub income_to_date: Decimal,
    /// Fees and taxes that are not part of a trade's cost.
    pub fees_to_date: Decimal,
    /// Money that came in since the snapshot before, or since inception.
    pub inflow: Decimal,
    /// Money that went out since then.
    pub outflow: Decimal,
    /// The time-weighted return since the snapshot before; none for the first.
    pub day_return: Option<f64>,
    /// The time-weighted return since inception; none when equity was not positive on some day.
    pub twr_to_date: Option<f64>,
    /// Positions whose price is older than a week, or missing.
    pub stale_prices: usize,
    pub input_hash: String,
    /// By asset.
    pub positions: Vec<SnapshotPosition>,
}

/// A position of a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotPosition {
    pub asset_id: i64,
    pub quantity: Decimal,
    pub price: Decimal,
    pub price_date: Date,
    /// The rate into base currency.
    pub fx: Decimal,
    pub value_base: Decimal,
    pub cost_base: Decimal,
    /// The share of net asset value; none when that is not positive.
    pub weight: Option<f64>,
}

/// What decides whether a snapshot is current.
#[derive(Clone, Debug)]
pub(crate) struct KeptSnapshot {
    pub(crate) input_hash: String,
    pub(crate) nav: Decimal,
}

impl Store {
    /// Writes snapshots with their positions, all or none; earlier ones of the same portfolios and days are replaced.
    pub(crate) async fn put_snapshots(&self, snapshots: &[Snapshot], now: Timestamp) -> Result<()> {
        if snapshots.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        let mut ids = HashMap::with_capacity(snapshots.len());
        for snapshots in snapshots.chunks(ROWS_TOGETHER) {
            ids.extend(self.put_snapshot_rows(&mut tx, snapshots, now).await?);
        }
        let delete = "DELETE FROM snapshot_positions WHERE snapshot_id IN (SELECT value::bigint FROM json_each(?1::jsonb))";
        let delete = self.sql(delete).bind(id_list(ids.values().copied()));
        delete.execute_in(&mut tx).await?;
        let positions = snapshots.iter().flat_map(|snapshot| {
            let id = ids[&(snapshot.portfolio_id, snapshot.date)];
            snapshot
                .positions
                .iter()
                .map(move |position| (id, position))
        });
        let positions: Vec<(i64, &SnapshotPosition)> = positions.collect();
        let mut statements = positions
            .chunks(TOGETHER)
            .map(|positions| self.insert_positions(positions));
        let mut statement = statements.next();
        while let Some(ready) = statement.take() {
            // The next one is made while the database carries this one out.
            let next = async { statements.next() };
            let (written, next) = join(ready.execute_in(&mut tx), next).await;
            written?;
            statement = next;
        }
        self.commit(tx).await
    }

    fn insert_positions(&self, positions: &[(i64, &SnapshotPosition)]) -> Query<'_> {
        let query = self.sql_of_rows(
            "INSERT INTO snapshot_positions (snapshot_id, asset_id, quantity, price, price_date, fx, value_base, cost_base, weight)",
            "(?, ?, ?::numeric, ?::numeric, ?::date, ?::numeric, ?::numeric, ?::numeric, ?::float8)",
            positions.len(),
            "",
        );
        positions.iter().fold(query, |query, (id, row)| {
            let query = query.bind(*id).bind(row.asset_id).bind(row.quantity);
            let query = query.bind(row.price).bind(row.price_date).bind(row.fx);
            let query = query.bind(row.value_base).bind(row.cost_base);
            query.bind(row.weight)
        })
    }

    /// The ids of the rows, by portfolio and day.
    async fn put_snapshot_rows(
        &self,
        tx: &mut Transaction,
        rows: &[Snapshot],
        now: Timestamp,
    ) -> Result<Vec<((i64, Date), i64)>> {
        let query = self.sql_of_rows(
            "INSERT INTO snapshots (portfolio_id, snapshot_date, base_currency, nav, cash, invested, cost_basis, unrealised,
               realised_to_date, income_to_date, fees_to_date, inflow, outflow, day_return, twr_to_date, stale_prices, input_hash,
               created_at, updated_at)",
            "(?, ?::date, ?, ?::numeric, ?::numeric, ?::numeric, ?::numeric, ?::numeric, ?::numeric, ?::numeric, ?::numeric,
               ?::numeric, ?::numeric, ?::float8, ?::float8, ?, ?, ?::timestamptz, ?::timestamptz)",
            rows.len(),
            "ON CONFLICT (portfolio_id, snapshot_date) DO UPDATE SET base_currency = excluded.base_currency, nav = excluded.nav,
               cash = excluded.cash, invested = excluded.invested, cost_basis = excluded.cost_basis, unrealised = excluded.unrealised,
               realised_to_date = excluded.realised_to_date, income_to_date = excluded.income_to_date,
               fees_to_date = excluded.fees_to_date, inflow = excluded.inflow, outflow = excluded.outflow,
               day_return = excluded.day_return, twr_to_date = excluded.twr_to_date, stale_prices = excluded.stale_prices,
               input_hash = excluded.input_hash, updated_at = excluded.updated_at
             RETURNING id, portfolio_id, snapshot_date::text AS snapshot_date",
        );
        let bound = rows.iter().fold(query, |query, row| {
            let query = query.bind(row.portfolio_id).bind(row.date);
            let query = query.bind(row.base_currency).bind(row.nav).bind(row.cash);
            let query = query.bind(row.invested).bind(row.cost_basis);
            let query = query.bind(row.unrealised).bind(row.realised_to_date);
            let query = query.bind(row.income_to_date).bind(row.fees_to_date);
            let query = query.bind(row.inflow).bind(row.outflow);
            let query = query.bind(row.day_return).bind(row.twr_to_date);
            let query = query.bind(i64::try_from(row.stale_prices).unwrap_or(i64::MAX));
            query.bind(row.input_hash.as_str()).bind(now).bind(now)
        });
        let written = bound.all_in(tx).await?;
        let id = |row: &Row| {
            let (portfolio_id, id): (i64, i64) = (row.get("portfolio_id"), row.get("id"));
            let reader = Reader {
                table: "snapshots",
                id: id.to_string(),
                row,
            };
            Ok(((portfolio_id, reader.required("snapshot_date")?), id))
        };
        written.iter().map(id).collect()
    }

    /// A snapshot with its positions.
    pub async fn snapshot(&self, portfolio_id: i64, date: Date) -> Result<Option<Snapshot>> {
        let query = self.sql(
            "SELECT id, base_currency, nav::text, cash::text, invested::text, cost_basis::text, unrealised::text,
               realised_to_date::text, income_to_date::text, fees_to_date::text, inflow::text, outflow::text, day_return,
               twr_to_date, stale_prices::bigint AS stale_prices, input_hash
             FROM snapshots WHERE portfolio_id = ?1 AND snapshot_date = ?2::date",
        );
        let Some(row) = query.bind(portfolio_id).bind(date).first().await? else {
            return Ok(None);
        };
        let positions = self.snapshot_positions(row.get("id")).await?;
        snapshot(portfolio_id, date, &row, positions).map(Some)
    }

    async fn snapshot_positions(&self, id: i64) -> Result<Vec<SnapshotPosition>> {
        let query = self.sql(
            "SELECT asset_id, quantity::text, price::text, price_date::text, fx::text, value_base::text, cost_base::text, weight
             FROM snapshot_positions WHERE snapshot_id = ?1 ORDER BY asset_id",
        );
        let rows = query.bind(id).all().await?;
        rows.iter().map(position).collect()
    }

    /// Hash and value of the snapshots of some portfolios on a day, by portfolio.
    pub(crate) async fn kept_snapshots(
        &self,
        portfolio_ids: &[i64],
        date: Date,
    ) -> Result<BTreeMap<i64, KeptSnapshot>> {
        let query = self.sql(
            "SELECT portfolio_id, input_hash, nav::text FROM snapshots
             WHERE snapshot_date = ?2::date AND portfolio_id IN (SELECT value::bigint FROM json_each(?1::jsonb))",
        );
        let query = query
            .bind(id_list(portfolio_ids.iter().copied()))
            .bind(date);
        let rows = query.all().await?;
        let kept = rows.iter().map(|row| {
            let portfolio_id: i64 = row.get("portfolio_id");
            let reader = Reader {
                table: "snapshots",
                id: format!("portfolio {portfolio_id} on {date}"),
                row,
            };
            let kept = KeptSnapshot {
                input_hash: row.get("input_hash"),
                nav: reader.required("nav")?,
            };
            Ok((portfolio_id, kept))
        });
        kept.collect()
    }

    /// The day of the last snapshot before a day, by portfolio.
    pub(crate) async fn previous_snapshots(
        &self,
        portfolio_ids: &[i64],
        before: Date,
    ) -> Result<HashMap<i64, Date>> {
        let query = self.sql(
            "SELECT portfolio_id, max(snapshot_date)::text AS previous FROM snapshots
             WHERE snapshot_date < ?2::date AND portfolio_id IN (SELECT value::bigint FROM json_each(?1::jsonb)) GROUP BY portfolio_id",
        );
        let query = query
            .bind(id_list(portfolio_ids.iter().copied()))
            .bind(before);
        let rows = query.all().await?;
        let days = rows.iter().map(|row| {
            let portfolio_id: i64 = row.get("portfolio_id");
            let reader = Reader {
                table: "snapshots",
                id: format!("portfolio {portfolio_id}"),
                row,
            };
            Ok((portfolio_id, reader.required("previous")?))
        });
        days.collect()
    }
}

fn snapshot(
    portfolio_id: i64,
    date: Date,
    row: &Row,
    positions: Vec<SnapshotPosition>,
) -> Result<Snapshot> {
    let reader = Reader {
        table: "snapshots",
        id: format!("portfolio {portfolio_id} on {date}"),
        row,
    };
    Ok(Snapshot {
        portfolio_id,
        date,
        base_currency: reader.required("base_currency")?,
        nav: reader.required("nav")?,
        cash: reader.required("cash")?,
        invested: reader.required("invested")?,
        cost_basis: reader.required("cost_basis")?,
        unrealised: reader.required("unrealised")?,
        realised_to_date: reader.required("realised_to_date")?,
        income_to_date: reader.required("income_to_date")?,
        fees_to_date: reader.required("fees_to_date")?,
        inflow: reader.required("inflow")?,
        outflow: reader.required("outflow")?,
        day_return: row.get("day_return"),
        twr_to_date: row.get("twr_to_date"),
        stale_prices: usize::try_from(row.get::<i64>("stale_prices")).unwrap_or_default(),
        input_hash: row.get("input_hash"),
        positions,
    })
}

fn position(row: &Row) -> Result<SnapshotPosition> {
    let asset_id: i64 = row.get("asset_id");
    let reader = Reader {
        table: "snapshot_positions",
        id: format!("asset {asset_id}"),
        row,
    };
    Ok(SnapshotPosition {
        asset_id,
        quantity: reader.required("quantity")?,
        price: reader.required("price")?,
        price_date: reader.required("price_date")?,
        fx: reader.required("fx")?,
        value_base: reader.required("value_base")?,
        cost_base: reader.required("cost_base")?,
        weight: row.get("weight"),
    })
}
