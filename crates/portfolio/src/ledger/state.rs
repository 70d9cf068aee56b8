//! The state of a ledger after some events, and what it has recorded on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::book::{Book, Slice};
use super::entry::{AccountId, Entry, LotMethod};
use super::error::LedgerError;
use super::warning::Warning;
use crate::dates::days_between;
use crate::decimal::{Decimal, MONEY};
use crate::market::{AssetIx, Market, Price};
use crate::money::Currency;

/// Who books dividends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IncomeMode {
    /// Rows of the ledger; a missing one is a warning.
    #[default]
    Ledger,
    /// The corporate action, on the ex-date.
    Auto,
}

/// How a portfolio books.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The currency of gains and values.
    pub base: Currency,
    /// How lots are chosen.
    pub method: LotMethod,
    /// Who books dividends.
    pub income: IncomeMode,
    /// Accounts in which a sale may exceed what is held.
    pub short_accounts: BTreeSet<AccountId>,
}

/// Money that came from or went outside on one day, in base currency; one of the two is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// The day.
    #[serde(with = "crate::packed::day")]
    pub date: Date,
    /// Came in.
    pub inflow: Decimal,
    /// Went out.
    pub outflow: Decimal,
}

/// Whether a gain is long- or short-term; more than 365 days is long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Term {
    Long,
    Short,
}

/// A gain from one lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Realised {
    /// The row that closed.
    pub transaction: i64,
    /// The asset.
    pub asset: AssetIx,
    /// The lot that was closed.
    pub lot: i64,
    /// When the lot was bought; none for a pool.
    #[serde(with = "crate::packed::maybe_day")]
    pub opened: Option<Date>,
    /// When it was closed.
    #[serde(with = "crate::packed::day")]
    pub closed: Date,
    /// Units closed; negative for a short.
    pub quantity: Decimal,
    /// Net proceeds in the asset's currency.
    pub proceeds: Decimal,
    /// Cost in the asset's currency.
    pub cost: Decimal,
    /// Gain in the asset's currency.
    pub gain: Decimal,
    /// Gain in base currency.
    pub gain_base: Decimal,
    /// The part made by the price.
    pub price_gain_base: Decimal,
    /// The part made by the exchange rate.
    pub fx_gain_base: Decimal,
    /// Days held; none for a pool.
    pub holding_days: Option<i64>,
    /// The term; none for a pool.
    pub term: Option<Term>,
}

/// A dividend received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncomeItem {
    /// The day it was booked.
    #[serde(with = "crate::packed::day")]
    pub date: Date,
    /// The asset that paid.
    pub asset: Option<AssetIx>,
    /// Before tax, in `currency`.
    pub amount: Decimal,
    /// The currency that was paid.
    pub currency: Currency,
    /// Before tax, in base currency.
    pub amount_base: Decimal,
    /// What was withheld, in `currency`.
    pub tax: Decimal,
    /// What was withheld, in base currency.
    pub tax_base: Decimal,
    /// True when the corporate action booked it, not a row.
    pub automatic: bool,
}

/// Sums since inception, in base currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Dividends before tax.
    pub dividends: Decimal,
    /// Interest before tax.
    pub interest: Decimal,
    /// Fees that are not part of a trade's cost.
    pub fees: Decimal,
    /// Taxes that are not part of a trade's cost.
    pub taxes: Decimal,
    /// Cost minus market value of what was transferred in, and the reverse for out.
    pub transfer_gain: Decimal,
}

/// A ledger being applied.
#[derive(Debug)]
pub struct Ledger<'m> {
    pub(super) market: &'m Market,
    pub(super) rules: Rules,
    pub(super) entries: Arc<[Entry]>,
    pub(super) horizon: Date,
    pub(super) books: BTreeMap<(AccountId, AssetIx), Book>,
    pub(super) cash: BTreeMap<(AccountId, Currency), Decimal>,
    /// Cash movements at the rate of their day, and their number: the independent side of the identity of values.
    pub(super) cash_at_cost: Decimal,
    pub(super) movements: usize,
    pub(super) realised: Vec<Realised>,
    pub(super) income: Vec<IncomeItem>,
    pub(super) flows: Vec<Flow>,
    pub(super) totals: Totals,
    pub(super) warnings: Vec<Warning>,
    /// Base money spent on an asset, less what it gave back, since the last [`Ledger::take_spent`].
    pub(super) spent: BTreeMap<AssetIx, Decimal>,
    pub(super) last_trades: BTreeMap<AssetIx, Price>,
    /// The first day after the horizon on which a dividend that no row records yet is missed.
    pub(super) next_due: Option<Date>,
    /// True when it goes on from a state that was taken out of another ledger, whose rows it has not.
    pub(super) resumed: bool,
}

impl<'m> Ledger<'m> {
    /// Lots by account and asset; empty ones may be present.
    pub fn books(&self) -> &BTreeMap<(AccountId, AssetIx), Book> {
        &self.books
    }

    /// Cash by account and currency.
    pub fn cash(&self) -> &BTreeMap<(AccountId, Currency), Decimal> {
        &self.cash
    }

    /// Cash by currency over all accounts.
    pub fn cash_by_currency(&self) -> BTreeMap<Currency, Decimal> {
        let mut sums = BTreeMap::new();
        for ((_, currency), amount) in &self.cash {
            *sums.entry(*currency).or_default() += *amount;
        }
        sums
    }

    /// Gains so far, in order.
    pub fn realised(&self) -> &[Realised] {
        &self.realised
    }

    /// Dividends so far, in order.
    pub fn income(&self) -> &[IncomeItem] {
        &self.income
    }

    /// External flows so far, in order.
    pub fn flows(&self) -> &[Flow] {
        &self.flows
    }

    /// Sums so far.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Warnings so far.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Rows that count: without repeated external ids.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The rules it is booked by.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The market it is valued with.
    pub fn market(&self) -> &'m Market {
        self.market
    }

    /// Cash movements at the rates of their days, and how many there were.
    pub(crate) fn cash_at_cost(&self) -> (Decimal, usize) {
        (self.cash_at_cost, self.movements)
    }

    /// True when cash and assets are all in base currency.
    pub(crate) fn is_single_currency(&self) -> bool {
        let base = self.rules.base;
        let cash = self.cash.keys().all(|(_, currency)| *currency == base);
        cash && self
            .books
            .keys()
            .all(|(_, asset)| self.market.currency(*asset) == base)
    }

    /// The rate into base currency.
    pub(crate) fn rate(&self, currency: Currency, date: Date) -> Result<Decimal, LedgerError> {
        let rate = self.market.rates().rate(currency, self.rules.base, date);
        rate.ok_or(LedgerError::MissingFx { currency, date })
    }

    /// The market's price, or else that of the last trade; the flag is true for the latter.
    pub(crate) fn price(&self, asset: AssetIx, date: Date) -> Option<(Price, bool)> {
        self.price_or_trade(asset, self.market.asset(asset).price(date))
    }

    /// A price of the market, or else that of the last trade; the flag is true for the latter.
    pub(crate) fn price_or_trade(
        &self,
        asset: AssetIx,
        price: Option<Price>,
    ) -> Option<(Price, bool)> {
        let priced = price.map(|price| (price, false));
        priced.or_else(|| self.last_trades.get(&asset).map(|price| (*price, true)))
    }

    /// Base money spent on assets since the last call.
    pub(crate) fn take_spent(&mut self) -> BTreeMap<AssetIx, Decimal> {
        std::mem::take(&mut self.spent)
    }

    pub(super) fn book(&mut self, account: AccountId, asset: AssetIx) -> &mut Book {
        let method = self.rules.method;
        self.books
            .entry((account, asset))
            .or_insert_with(|| Book::new(method))
    }

    pub(super) fn spend(&mut self, asset: AssetIx, base: Decimal) {
        *self.spent.entry(asset).or_default() += base;
    }

    /// Moves cash; `rate` is that of the day.
    pub(super) fn move_cash(
        &mut self,
        account: AccountId,
        currency: Currency,
        amount: Decimal,
        rate: Decimal,
    ) -> Result<(), LedgerError> {
        let base = amount.mul(rate, MONEY)?;
        self.move_cash_at(account, currency, amount, base);
        Ok(())
    }

    /// Moves cash that is worth `base` by what it was paid with.
    pub(super) fn move_cash_at(
        &mut self,
        account: AccountId,
        currency: Currency,
        amount: Decimal,
        base: Decimal,
    ) {
        *self.cash.entry((account, currency)).or_default() += amount;
        self.cash_at_cost += base;
        self.movements += 1;
    }

    /// Records the gains of closed lots.
    pub(super) fn realise(
        &mut self,
        entry: &Entry,
        asset: AssetIx,
        slices: Vec<Slice>,
        rate: Decimal,
    ) -> Result<(), LedgerError> {
        for slice in slices {
            let gain = gain(entry, asset, &slice, rate)?;
            self.realised.push(gain);
        }
        Ok(())
    }
}

/// The gain of one slice, split into price and currency at the rate of the closing day.
pub(super) fn gain(
    entry: &Entry,
    asset: AssetIx,
    slice: &Slice,
    rate: Decimal,
) -> Result<Realised, LedgerError> {
    let proceeds_base = slice.proceeds.mul(rate, MONEY)?;
    let cost_today = slice.cost.mul(rate, MONEY)?;
    let holding_days = slice.opened.map(|opened| days_between(opened, entry.date));
    Ok(Realised {
        transaction: entry.id,
        asset,
        lot: slice.lot,
        opened: slice.opened,
        closed: entry.date,
        quantity: slice.quantity,
        proceeds: slice.proceeds,
        cost: slice.cost,
        gain: slice.proceeds - slice.cost,
        gain_base: proceeds_base - slice.cost_base,
        price_gain_base: proceeds_base - cost_today,
        fx_gain_base: cost_today - slice.cost_base,
        holding_days,
        term: holding_days.map(term),
    })
}

pub(super) fn term(holding_days: i64) -> Term {
    if holding_days > 365 {
        Term::Long
    } else {
        Term::Short
    }
}
