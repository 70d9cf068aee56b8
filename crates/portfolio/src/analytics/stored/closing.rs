//! The state on a portfolio's last day as it is stored: without what follows from the rest of it, and with positions in rows
//! under named columns.

use std::borrow::Cow;
use std::collections::BTreeMap;

use compact_str::CompactString;
use jiff::civil::Date;
use serde::{Deserialize, Serialize, Serializer};

use crate::allocation::Allocation;
use crate::decimal::Decimal;
use crate::figures::{Closing, PositionFigures};
use crate::income::Income;
use crate::money::Currency;
use crate::returns::cash_of;

/// [`Closing`] without what follows from the rest of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredClosing<'a> {
    #[serde(with = "crate::packed::day")]
    date: Date,
    base: Currency,
    nav: Decimal,
    cost_base: Decimal,
    unrealised_gain_base: Decimal,
    realised_gain_base: Decimal,
    cash_fx_gain_base: Decimal,
    transfer_basis_adjustment_base: Decimal,
    #[serde(borrow)]
    positions: Positions<'a>,
    cash: Cow<'a, BTreeMap<Currency, Decimal>>,
    /// Cash by currency, in base currency.
    pub(super) cash_base: Cow<'a, BTreeMap<Currency, Decimal>>,
    /// Without the shares of assets.
    allocation: Option<Allocation>,
    income: Cow<'a, Income>,
}

/// The sums of a last day.
#[derive(Debug)]
pub(super) struct Sums<'a> {
    pub(super) nav: Decimal,
    pub(super) unrealised: Decimal,
    pub(super) realised: Decimal,
    pub(super) cash: &'a BTreeMap<Currency, Decimal>,
    /// Values in base currency by symbol.
    pub(super) positions: BTreeMap<&'a str, Decimal>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Positions<'a> {
    #[serde(skip_deserializing)]
    columns: Columns,
    #[serde(borrow)]
    rows: Vec<PositionRow<'a>>,
    #[serde(borrow, default)]
    unpriced: Vec<Cow<'a, str>>,
    #[serde(borrow, default)]
    stale_days: BTreeMap<Cow<'a, str>, i64>,
}

/// A position; gains follow from value and cost.
#[derive(Debug, Serialize, Deserialize)]
struct PositionRow<'a>(
    #[serde(borrow)] Cow<'a, str>,
    Decimal,
    Currency,
    #[serde(borrow)] Cow<'a, str>,
    #[serde(with = "crate::packed::day")] Date,
    Decimal,
    Decimal,
    Decimal,
    Decimal,
    Decimal,
    Decimal,
);

/// The columns of [`PositionRow`].
const COLUMNS: [&str; 11] = [
    "symbol",
    "quantity",
    "currency",
    "price",
    "price_date",
    "fx",
    "value",
    "cost",
    "value_base",
    "cost_base",
    "unrealised_price_base",
];

/// Their names, in the text only.
#[derive(Debug, Default)]
struct Columns;

impl Serialize for Columns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            COLUMNS.serialize(serializer)
        } else {
            serializer.serialize_unit()
        }
    }
}

impl<'a> StoredClosing<'a> {
    pub(super) fn of(
        closing: &'a Closing,
        cash_base: &'a BTreeMap<Currency, Decimal>,
    ) -> StoredClosing<'a> {
        StoredClosing {
            date: closing.date,
            base: closing.base,
            nav: closing.nav,
            cost_base: closing.cost_base,
            unrealised_gain_base: closing.unrealised_gain_base,
            realised_gain_base: closing.realised_gain_base,
            cash_fx_gain_base: closing.cash_fx_gain_base,
            transfer_basis_adjustment_base: closing.transfer_basis_adjustment_base,
            positions: Positions::of(&closing.positions),
            cash: Cow::Borrowed(&closing.cash),
            cash_base: Cow::Borrowed(cash_base),
            allocation: closing.allocation.as_ref().map(Allocation::without_assets),
            income: Cow::Borrowed(&closing.income),
        }
    }

    /// What dashboards ask for most.
    pub(super) fn sums(&self) -> Sums<'_> {
        let rows = self.positions.rows.iter();
        Sums {
            nav: self.nav,
            unrealised: self.unrealised_gain_base,
            realised: self.realised_gain_base,
            cash: &self.cash,
            positions: rows.map(|row| (&*row.0, row.8)).collect(),
        }
    }

    /// Nothing is lost.
    pub(super) fn whole(self) -> Closing {
        let (positions, nav) = (self.positions.whole(), self.nav.to_f64());
        let held = positions
            .iter()
            .map(|(symbol, position)| (symbol.clone(), position.value_base));
        let cash = self.cash_base.iter();
        let cash = cash
            .filter(|(_, base)| !base.is_zero())
            .map(|(currency, base)| (cash_of(*currency), *base));
        let shares = held
            .chain(cash)
            .map(|(name, value)| (name, value.to_f64() / nav));
        Closing {
            date: self.date,
            base: self.base,
            nav: self.nav,
            cost_base: self.cost_base,
            unrealised_gain_base: self.unrealised_gain_base,
            realised_gain_base: self.realised_gain_base,
            cash_fx_gain_base: self.cash_fx_gain_base,
            transfer_basis_adjustment_base: self.transfer_basis_adjustment_base,
            allocation: self.allocation.map(|allocation| Allocation {
                asset: shares.collect(),
                ..allocation
            }),
            positions,
            cash: self.cash.into_owned(),
            income: self.income.into_owned(),
        }
    }
}

impl<'a> Positions<'a> {
    fn of(positions: &'a BTreeMap<CompactString, PositionFigures>) -> Positions<'a> {
        let mut stored = Positions {
            columns: Columns,
            rows: Vec::with_capacity(positions.len()),
            unpriced: Vec::new(),
            stale_days: BTreeMap::new(),
        };
        for (symbol, position) in positions {
            let symbol = Cow::Borrowed(symbol.as_str());
            if position.unpriced.is_some() {
                stored.unpriced.push(symbol.clone());
            }
            let stale = position.stale_days.map(|days| (symbol.clone(), days));
            stored.stale_days.extend(stale);
            stored.rows.push(PositionRow::of(symbol, position));
        }
        stored
    }

    fn whole(self) -> BTreeMap<CompactString, PositionFigures> {
        let (unpriced, stale_days) = (self.unpriced, self.stale_days);
        let whole = |row: PositionRow<'_>| {
            let is_unpriced = unpriced.contains(&row.0);
            let stale_days = stale_days.get(&row.0).copied();
            let (symbol, position) = row.whole();
            let position = PositionFigures {
                unpriced: is_unpriced.then_some(true),
                stale_days,
                ..position
            };
            (symbol, position)
        };
        self.rows.into_iter().map(whole).collect()
    }
}

impl<'a> PositionRow<'a> {
    fn of(symbol: Cow<'a, str>, position: &'a PositionFigures) -> PositionRow<'a> {
        PositionRow(
            symbol,
            position.quantity,
            position.currency,
            Cow::Borrowed(&position.price),
            position.price_date,
            position.fx,
            position.value,
            position.cost,
            position.value_base,
            position.cost_base,
            position.unrealised_price_base,
        )
    }

    fn whole(self) -> (CompactString, PositionFigures) {
        let PositionRow(symbol, quantity, currency, price, price_date, fx, ..) = self;
        let PositionRow(.., value, cost, value_base, cost_base, unrealised_price_base) = self;
        let unrealised_base = value_base - cost_base;
        let position = PositionFigures {
            quantity,
            currency,
            price: price.into(),
            price_date,
            fx,
            value,
            value_base,
            cost,
            cost_base,
            unrealised: value - cost,
            unrealised_base,
            unrealised_price_base,
            unrealised_fx_base: unrealised_base - unrealised_price_base,
            unpriced: None,
            stale_days: None,
        };
        (symbol.into(), position)
    }
}
