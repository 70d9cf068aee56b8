//! What a ledger is worth on a day: positions, cash, net asset value. Exact, in the portfolio's base currency.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::dates::days_between;
use crate::decimal::{Decimal, MONEY};
use crate::ledger::{AccountId, Ledger, LedgerError};
use crate::market::{AssetIx, Price};
use crate::money::Currency;

/// A price older than this many days is marked stale.
const FRESH_DAYS: i64 = 7;

/// One asset over all accounts.
#[derive(Clone, Debug)]
pub struct Position {
    /// Units; negative when short.
    pub quantity: Decimal,
    /// The asset's currency.
    pub currency: Currency,
    /// The price that holds.
    pub price: Price,
    /// The rate into base currency.
    pub rate: Decimal,
    /// Value in the asset's currency.
    pub value: Decimal,
    /// Value in base currency.
    pub value_base: Decimal,
    /// Cost in the asset's currency.
    pub cost: Decimal,
    /// Cost in base currency.
    pub cost_base: Decimal,
    /// True when no market price exists and the last trade's is used.
    pub unpriced: bool,
    /// The age of the price in days, when above a week.
    pub stale_days: Option<i64>,
    /// Value in base currency by account.
    pub by_account: BTreeMap<AccountId, Decimal>,
}

impl Position {
    /// Unrealised gain in the asset's currency.
    pub fn unrealised(&self) -> Decimal {
        self.value - self.cost
    }

    /// Unrealised gain in base currency.
    pub fn unrealised_base(&self) -> Decimal {
        self.value_base - self.cost_base
    }

    /// The part of the unrealised gain made by the price and the part made by the rate.
    pub fn unrealised_split(&self) -> Result<(Decimal, Decimal), LedgerError> {
        let cost_today = self.cost.mul(self.rate, MONEY)?;
        Ok((self.value_base - cost_today, cost_today - self.cost_base))
    }
}

/// A whole portfolio on a day.
#[derive(Clone, Debug)]
pub struct Valuation {
    /// The day.
    pub date: Date,
    /// Open positions.
    pub positions: BTreeMap<AssetIx, Position>,
    /// Cash in its own currency and in base currency.
    pub cash: BTreeMap<Currency, (Decimal, Decimal)>,
    /// Net asset value: positions and cash.
    pub nav: Decimal,
}

impl Valuation {
    /// Values `ledger` as it stands with the prices and rates of `date`.
    pub fn of(ledger: &Ledger<'_>, date: Date) -> Result<Valuation, LedgerError> {
        let positions = positions(ledger, date)?;
        let mut cash = BTreeMap::new();
        for (currency, amount) in ledger.cash_by_currency() {
            cash.insert(
                currency,
                (amount, amount.mul(ledger.rate(currency, date)?, MONEY)?),
            );
        }
        let held: Decimal = positions.values().map(|position| position.value_base).sum();
        let nav = held + cash.values().map(|(_, base)| *base).sum();
        Ok(Valuation {
            date,
            positions,
            cash,
            nav,
        })
    }

    /// Cash of all currencies in base currency.
    pub fn cash_base(&self) -> Decimal {
        self.cash.values().map(|(_, base)| *base).sum()
    }

    /// Unrealised gain in base currency.
    pub fn unrealised_base(&self) -> Decimal {
        self.positions.values().map(Position::unrealised_base).sum()
    }

    /// Cost of open positions in base currency.
    pub fn cost_base(&self) -> Decimal {
        self.positions
            .values()
            .map(|position| position.cost_base)
            .sum()
    }
}

/// Quantity and cost of one asset while it is summed over accounts.
#[derive(Default)]
struct Holding {
    quantity: Decimal,
    cost: Decimal,
    cost_base: Decimal,
    accounts: Vec<(AccountId, Decimal)>,
}

fn positions(ledger: &Ledger<'_>, date: Date) -> Result<BTreeMap<AssetIx, Position>, LedgerError> {
    let mut holdings: BTreeMap<AssetIx, Holding> = BTreeMap::new();
    for ((account, asset), book) in ledger.books() {
        let quantity = book.quantity();
        if quantity.is_zero() {
            continue;
        }
        let holding = holdings.entry(*asset).or_default();
        holding.quantity += quantity;
        holding.cost += book.cost();
        holding.cost_base += book.cost_base();
        holding.accounts.push((*account, quantity));
    }
    holdings
        .into_iter()
        .map(|(asset, holding)| Ok((asset, position(ledger, asset, holding, date)?)))
        .collect()
}

fn position(
    ledger: &Ledger<'_>,
    asset: AssetIx,
    holding: Holding,
    date: Date,
) -> Result<Position, LedgerError> {
    let currency = ledger.market().asset(asset).currency;
    let rate = ledger.rate(currency, date)?;
    let at_cost = (
        Price {
            date,
            close: holding.cost,
            divisor: holding.quantity,
        },
        true,
    );
    let (price, unpriced) = ledger.price(asset, date).unwrap_or(at_cost);
    let value = price.value(holding.quantity)?;
    let mut by_account = BTreeMap::new();
    for (account, quantity) in holding.accounts {
        by_account.insert(account, price.value(quantity)?.mul(rate, MONEY)?);
    }
    let age = days_between(price.date, date);
    Ok(Position {
        quantity: holding.quantity,
        currency,
        price,
        rate,
        value,
        value_base: value.mul(rate, MONEY)?,
        cost: holding.cost,
        cost_base: holding.cost_base,
        unpriced,
        stale_days: (age > FRESH_DAYS).then_some(age),
        by_account,
    })
}
