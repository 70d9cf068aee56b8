//! The figures of the last day: what is held, what it is worth, what it has gained since inception.

use std::collections::BTreeMap;

use compact_str::CompactString;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::allocation::Allocation;
use crate::decimal::Decimal;
use crate::income::Income;
use crate::ledger::LedgerError;
use crate::money::Currency;
use crate::series::Walked;
use crate::valuation::Position;

/// One position, exact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PositionFigures {
    /// Units; negative when short.
    pub quantity: Decimal,
    /// The asset's currency.
    pub currency: Currency,
    /// The price that holds, in plain notation.
    pub price: CompactString,
    /// The day it was made.
    pub price_date: Date,
    /// The rate into base currency.
    pub fx: Decimal,
    /// Value in the asset's currency.
    pub value: Decimal,
    /// Value in base currency.
    pub value_base: Decimal,
    /// Cost in the asset's currency.
    pub cost: Decimal,
    /// Cost in base currency.
    pub cost_base: Decimal,
    /// Gain in the asset's currency.
    pub unrealised: Decimal,
    /// Gain in base currency.
    pub unrealised_base: Decimal,
    /// The part made by the price.
    pub unrealised_price_base: Decimal,
    /// The part made by the rate.
    pub unrealised_fx_base: Decimal,
    /// True when valued at the last trade's price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpriced: Option<bool>,
    /// The age of the price in days, when above a week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_days: Option<i64>,
}

/// The state on the last day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closing {
    /// The last day.
    pub date: Date,
    /// The base currency.
    pub base: Currency,
    /// Net asset value.
    pub nav: Decimal,
    /// Cost of open positions.
    pub cost_base: Decimal,
    /// Gains not realised yet.
    pub unrealised_gain_base: Decimal,
    /// Gains realised since inception.
    pub realised_gain_base: Decimal,
    /// What currencies did to cash since inception.
    pub cash_fx_gain_base: Decimal,
    /// Cost less market value of transfers since inception.
    pub transfer_basis_adjustment_base: Decimal,
    /// Positions by symbol.
    pub positions: BTreeMap<CompactString, PositionFigures>,
    /// Cash by currency, in that currency.
    pub cash: BTreeMap<Currency, Decimal>,
    /// Shares of net asset value; `None` when that is not positive.
    pub allocation: Option<Allocation>,
    /// Dividends since inception.
    pub income: Income,
}

impl Closing {
    /// The figures of the day on which a walk ended.
    pub fn of(walk: &Walked<'_>) -> Result<Closing, LedgerError> {
        let (ledger, valuation) = (&walk.ledger, &walk.closing);
        let mut positions = Vec::with_capacity(valuation.positions.len());
        for (asset, position) in valuation.positions.iter() {
            let symbol = ledger.market().symbol(*asset);
            positions.push((symbol, position_figures(position)?));
        }
        Ok(Closing {
            date: valuation.date,
            base: ledger.rules().base,
            nav: valuation.nav,
            cost_base: valuation.cost_base(),
            unrealised_gain_base: valuation.unrealised_base(),
            realised_gain_base: ledger.realised().iter().map(|gain| gain.gain_base).sum(),
            cash_fx_gain_base: cash_fx_gain(walk),
            transfer_basis_adjustment_base: ledger.totals().transfer_gain,
            positions: positions.into_iter().collect(),
            cash: valuation
                .cash
                .iter()
                .map(|(currency, (amount, _))| (*currency, *amount))
                .collect(),
            allocation: Allocation::of(ledger, valuation),
            income: Income::of(ledger, ledger.income(), valuation),
        })
    }
}

/// What the identity of net asset value leaves for currencies on cash.
fn cash_fx_gain(walk: &Walked<'_>) -> Decimal {
    let (ledger, totals) = (&walk.ledger, walk.ledger.totals());
    let flows: Decimal = ledger
        .flows()
        .iter()
        .map(|flow| flow.inflow - flow.outflow)
        .sum();
    let realised: Decimal = ledger.realised().iter().map(|gain| gain.gain_base).sum();
    let earned = realised + walk.closing.unrealised_base() + totals.dividends + totals.interest
        - totals.fees
        - totals.taxes;
    walk.closing.nav - flows - earned - totals.transfer_gain
}

fn position_figures(position: &Position) -> Result<PositionFigures, LedgerError> {
    let (price_gain, fx_gain) = position.unrealised_split()?;
    Ok(PositionFigures {
        quantity: position.quantity,
        currency: position.currency,
        price: position.price.text(),
        price_date: position.price.date,
        fx: position.rate,
        value: position.value,
        value_base: position.value_base,
        cost: position.cost,
        cost_base: position.cost_base,
        unrealised: position.unrealised(),
        unrealised_base: position.unrealised_base(),
        unrealised_price_base: price_gain,
        unrealised_fx_base: fx_gain,
        unpriced: position.unpriced.then_some(true),
        stale_days: position.stale_days,
    })
}
