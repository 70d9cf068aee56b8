//! Amounts into trades of whole or divisible units, rounded so that nothing is overspent and nothing sold that is not there.

use serde::Serialize;

use crate::decimal::{Decimal, MONEY};
use crate::ledger::LedgerError;
use crate::market::{Asset, AssetIx, Price};
use crate::money::Currency;
use crate::series::Walked;

/// Places of the quantity of what can be divided.
const FRACTION: u32 = 6;
/// Classes that are traded whole.
const WHOLE: [&str; 3] = ["equity", "etf", "bond"];

/// Which way a trade goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// More of it.
    Buy,
    /// Less of it.
    Sell,
}

/// A proposed trade at the last known price, without costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trade {
    /// Which way.
    pub side: Side,
    /// The asset.
    pub symbol: String,
    /// The group that it is for.
    pub group: String,
    /// Units, above zero.
    pub quantity: Decimal,
    /// The price of a unit, in plain notation.
    pub price: String,
    /// The currency of price and amount.
    pub currency: Currency,
    /// Quantity times price.
    pub amount: Decimal,
    /// The same in base currency.
    pub amount_base: Decimal,
    /// The age of the price in days, when above a week.
    pub stale_days: Option<i64>,
}

/// A part of a change for which no trade is proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The group.
    pub group: String,
    /// The asset, where it is known.
    pub symbol: Option<String>,
    /// What would have been bought, or sold when negative, in base currency.
    pub amount_base: Decimal,
    /// Why.
    pub reason: Reason,
}

/// Why no trade is proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It would be smaller than the smallest that is wanted, or than one unit.
    BelowMinimum,
    /// Nothing of the group is held and the plan does not say what to buy.
    NothingHeld,
    /// The asset has no price.
    NoPrice,
    /// The symbol is not a known asset.
    UnknownSymbol,
}

impl Reason {
    /// The reason for people.
    pub fn text(self) -> &'static str {
        match self {
            Reason::BelowMinimum => "too small to trade",
            Reason::NothingHeld => "nothing of it is held, and the plan does not say what to buy",
            Reason::NoPrice => "it has no price",
            Reason::UnknownSymbol => "it is not a known asset",
        }
    }
}

/// An asset that can be traded on a day.
pub(super) struct Tradable<'m> {
    asset: &'m Asset,
    price: Price,
    rate: Decimal,
    stale_days: Option<i64>,
    whole: bool,
    /// Units held; never negative.
    pub(super) held: Decimal,
    /// What they are worth in base currency.
    pub(super) value: Decimal,
}

impl<'m> Tradable<'m> {
    /// `None` when it has no price.
    pub(super) fn of(
        end: &Walked<'m>,
        index: AssetIx,
        whole_shares: bool,
    ) -> Result<Option<Tradable<'m>>, LedgerError> {
        let asset = end.ledger.market().asset(index);
        let position = end.closing.positions.get(&index);
        let priced = position.is_none_or(|position| !position.unpriced);
        let price = match position {
            Some(position) => Some(position.price),
            None => asset.price(end.closing.date),
        };
        let Some(price) = price.filter(|price| priced && price.close.is_positive()) else {
            return Ok(None);
        };
        let long = position.filter(|position| position.quantity.is_positive());
        let rate = end.ledger.rate(asset.currency, end.closing.date)?;
        Ok(Some(Tradable {
            price,
            rate,
            stale_days: position.and_then(|position| position.stale_days),
            whole: whole_shares && WHOLE.contains(&asset.class.as_str()),
            held: long.map_or(Decimal::ZERO, |position| position.quantity),
            value: long.map_or(Decimal::ZERO, |position| position.value_base),
            asset,
        }))
    }

    /// The most that costs no more than `amount` in base currency.
    pub(super) fn units_within(&self, amount: Decimal) -> Result<Decimal, LedgerError> {
        if !amount.is_positive() {
            return Ok(Decimal::ZERO);
        }
        let native = amount.div(self.rate, MONEY)?;
        let units = native.mul_div(self.price.divisor, self.price.close, FRACTION)?;
        let ten = Decimal::from_int(10);
        let (mut units, mut step) = if self.whole {
            (units.trunc(), Decimal::ONE)
        } else {
            (
                units,
                Decimal::ONE.div(Decimal::from_int(1_000_000), FRACTION)?,
            )
        };
        // What rounding has added is taken off again, in growing steps where units are worth next to nothing.
        while units.is_positive() && self.base(units)? > amount {
            units -= step;
            step = step.mul(ten, FRACTION)?;
        }
        Ok(units)
    }

    fn base(&self, units: Decimal) -> Result<Decimal, LedgerError> {
        Ok(self.price.value(units)?.mul(self.rate, MONEY)?)
    }

    /// A trade of some units.
    pub(super) fn trade(
        &self,
        side: Side,
        group: &str,
        quantity: Decimal,
    ) -> Result<Trade, LedgerError> {
        Ok(Trade {
            side,
            symbol: self.asset.symbol.clone(),
            group: group.to_owned(),
            quantity,
            price: self.price.text().into_string(),
            currency: self.asset.currency,
            amount: self.price.value(quantity)?,
            amount_base: self.base(quantity)?,
            stale_days: self.stale_days,
        })
    }
}
