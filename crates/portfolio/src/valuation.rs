//! What a ledger is worth on a day: positions, cash, net asset value. Exact, in the portfolio's base currency.

use std::collections::BTreeMap;

use jiff::civil::Date;
use litemap::LiteMap;

use crate::dates::days_between;
use crate::decimal::{Decimal, MONEY};
use crate::ledger::{AccountId, Book, Ledger, LedgerError};
use crate::market::{AssetIx, DayPrices, Market, Price};
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
    /// Value in base currency by account, in their order.
    pub by_account: Vec<(AccountId, Decimal)>,
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
    pub positions: LiteMap<AssetIx, Position>,
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

    /// What each position is worth in base currency.
    pub(crate) fn values(&self) -> impl Iterator<Item = (AssetIx, Decimal)> {
        let positions = self.positions.iter();
        positions.map(|(asset, position)| (*asset, position.value_base))
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

/// What positions are worth in base currency, and net asset value: as [`Valuation`] says, without the rest of it.
#[derive(Debug)]
pub(crate) struct Worth {
    pub(crate) positions: Vec<(AssetIx, Decimal)>,
    pub(crate) nav: Decimal,
}

impl Worth {
    /// Values `ledger` as it stands with the prices and rates of `date`.
    pub(crate) fn of(ledger: &Ledger<'_>, date: Date) -> Result<Worth, LedgerError> {
        let prices = ledger.market().day(date);
        let worth = |holding: Holding| {
            let rate = ledger.rate(ledger.market().currency(holding.asset), date)?;
            let value = match prices.value(holding.asset, holding.quantity) {
                Some(value) => value?.mul(rate, MONEY)?,
                None => Held::of(ledger, &holding, &prices, date)?.value_base,
            };
            Ok((holding.asset, value))
        };
        let positions: Result<Vec<_>, LedgerError> =
            holdings(ledger).into_iter().map(worth).collect();
        let positions = positions?;
        let held: Decimal = positions.iter().map(|(_, value)| *value).sum();
        let mut nav = held;
        for (currency, amount) in ledger.cash_by_currency() {
            nav += amount.mul(ledger.rate(currency, date)?, MONEY)?;
        }
        Ok(Worth { positions, nav })
    }

    /// As [`Worth::of`], of units and cash whoever holds them; `None` when the market has no price for one of them.
    pub(crate) fn of_units(
        market: &Market,
        base: Currency,
        units: &BTreeMap<AssetIx, Decimal>,
        cash: &BTreeMap<Currency, Decimal>,
        date: Date,
    ) -> Result<Option<Worth>, LedgerError> {
        let prices = market.day(date);
        let rate = |currency| {
            let rate = market.rates().rate(currency, base, date);
            rate.ok_or(LedgerError::MissingFx { currency, date })
        };
        let mut worth = Worth {
            positions: Vec::with_capacity(units.len()),
            nav: Decimal::ZERO,
        };
        for (asset, units) in units.iter().filter(|(_, units)| !units.is_zero()) {
            let Some(value) = prices.value(*asset, *units) else {
                return Ok(None);
            };
            let rate = rate(market.currency(*asset))?;
            let value = value?.mul(rate, MONEY)?;
            worth.positions.push((*asset, value));
            worth.nav += value;
        }
        for (currency, amount) in cash {
            worth.nav += amount.mul(rate(*currency)?, MONEY)?;
        }
        Ok(Some(worth))
    }
}

/// Quantity and cost of one asset, summed over accounts.
struct Holding {
    asset: AssetIx,
    quantity: Decimal,
    cost: Decimal,
    cost_base: Decimal,
    accounts: Accounts,
}

/// Who holds an asset: nearly always one.
enum Accounts {
    One(AccountId),
    Several(Vec<(AccountId, Decimal)>),
}

impl Holding {
    fn add(&mut self, account: AccountId, book: &Book) {
        if let Accounts::One(first) = self.accounts {
            self.accounts = Accounts::Several(vec![(first, self.quantity)]);
        }
        if let Accounts::Several(accounts) = &mut self.accounts {
            accounts.push((account, book.quantity()));
        }
        self.quantity += book.quantity();
        self.cost += book.cost();
        self.cost_base += book.cost_base();
    }
}

/// What is held, by asset in their order.
fn holdings(ledger: &Ledger<'_>) -> Vec<Holding> {
    let open = ledger
        .books()
        .iter()
        .filter(|(_, book)| !book.quantity().is_zero());
    let mut books: Vec<_> = open.collect();
    // Stable: accounts stay in order. Those of one account are sorted already.
    books.sort_by_key(|((_, asset), _)| *asset);
    let mut holdings: Vec<Holding> = Vec::with_capacity(books.len());
    for ((account, asset), book) in books {
        match holdings.last_mut().filter(|last| last.asset == *asset) {
            Some(holding) => holding.add(*account, book),
            None => holdings.push(Holding {
                asset: *asset,
                quantity: book.quantity(),
                cost: book.cost(),
                cost_base: book.cost_base(),
                accounts: Accounts::One(*account),
            }),
        }
    }
    holdings
}

/// A holding at the price and the rate of a day.
struct Held {
    price: Price,
    unpriced: bool,
    rate: Decimal,
    value: Decimal,
    value_base: Decimal,
}

impl Held {
    fn of(
        ledger: &Ledger<'_>,
        holding: &Holding,
        prices: &DayPrices<'_>,
        date: Date,
    ) -> Result<Held, LedgerError> {
        let rate = ledger.rate(ledger.market().currency(holding.asset), date)?;
        let at_cost = || {
            let price = Price {
                date,
                close: holding.cost,
                divisor: holding.quantity,
            };
            (price, true)
        };
        let price = ledger.price_or_trade(holding.asset, prices.of(holding.asset));
        let (price, unpriced) = price.unwrap_or_else(at_cost);
        let value = price.value(holding.quantity)?;
        Ok(Held {
            price,
            unpriced,
            rate,
            value,
            value_base: value.mul(rate, MONEY)?,
        })
    }

    fn by_account(&self, accounts: &Accounts) -> Result<Vec<(AccountId, Decimal)>, LedgerError> {
        match accounts {
            Accounts::One(account) => Ok(vec![(*account, self.value_base)]),
            Accounts::Several(accounts) => {
                let value = |(account, quantity): &(AccountId, Decimal)| {
                    let value = self.price.value(*quantity)?;
                    Ok((*account, value.mul(self.rate, MONEY)?))
                };
                accounts.iter().map(value).collect()
            }
        }
    }
}

fn positions(ledger: &Ledger<'_>, date: Date) -> Result<LiteMap<AssetIx, Position>, LedgerError> {
    let prices = ledger.market().day(date);
    let holdings = holdings(ledger);
    let mut positions = LiteMap::with_capacity(holdings.len());
    for holding in holdings {
        let held = Held::of(ledger, &holding, &prices, date)?;
        let age = days_between(held.price.date, date);
        let position = Position {
            quantity: holding.quantity,
            currency: ledger.market().currency(holding.asset),
            price: held.price,
            rate: held.rate,
            value: held.value,
            value_base: held.value_base,
            cost: holding.cost,
            cost_base: holding.cost_base,
            unpriced: held.unpriced,
            stale_days: (age > FRESH_DAYS).then_some(age),
            by_account: held.by_account(&holding.accounts)?,
        };
        positions.insert(holding.asset, position);
    }
    Ok(positions)
}
