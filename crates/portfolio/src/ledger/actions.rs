//! Corporate actions: facts of the asset, applied to every holder.

use jiff::civil::Date;

use super::entry::{AccountId, Entry, Kind};
use super::error::LedgerError;
use super::state::{IncomeItem, IncomeMode, Ledger};
use super::warning::Warning;
use crate::dates::{days_between, plus_days};
use crate::decimal::{Decimal, MONEY};
use crate::market::{Action, ActionKind, AssetIx};

/// A dividend row counts for an ex-date from this many days before …
const EARLY_DAYS: i64 = -3;
/// … to this many days after it.
const LATE_DAYS: i64 = 45;
/// A broker's split row this near to a known split is the same one.
const SAME_SPLIT_DAYS: i64 = 5;

impl Ledger<'_> {
    pub(super) fn apply_action(
        &mut self,
        asset: AssetIx,
        index: usize,
        date: Date,
    ) -> Result<(), LedgerError> {
        let action = self.market.asset(asset).actions[index].clone();
        for account in self.holders(asset) {
            match action.kind {
                ActionKind::Split => self.book(account, asset).split(action.value)?,
                ActionKind::Dividend if self.rules.income == IncomeMode::Auto => {
                    self.post_dividend(account, asset, &action, date)?
                }
                ActionKind::Dividend => self.expect_dividend(account, asset, &action)?,
            }
        }
        Ok(())
    }

    fn holders(&self, asset: AssetIx) -> Vec<AccountId> {
        let held = self
            .books
            .iter()
            .filter(|((_, held), book)| *held == asset && !book.quantity().is_zero());
        held.map(|((account, _), _)| *account).collect()
    }

    fn post_dividend(
        &mut self,
        account: AccountId,
        asset: AssetIx,
        action: &Action,
        date: Date,
    ) -> Result<(), LedgerError> {
        let amount = self
            .book(account, asset)
            .quantity()
            .mul(action.value, MONEY)?;
        let currency = action.currency.unwrap_or(self.market.asset(asset).currency);
        let rate = self.rate(currency, date)?;
        let amount_base = amount.mul(rate, MONEY)?;
        self.move_cash(account, currency, amount, rate)?;
        self.totals.dividends += amount_base;
        self.spend(asset, -amount_base);
        self.income.push(IncomeItem {
            date,
            asset: Some(asset),
            amount,
            currency,
            amount_base,
            tax: Decimal::ZERO,
            tax_base: Decimal::ZERO,
            automatic: true,
        });
        Ok(())
    }

    fn expect_dividend(
        &mut self,
        account: AccountId,
        asset: AssetIx,
        action: &Action,
    ) -> Result<(), LedgerError> {
        if self.has_dividend(account, asset, action.ex_date) {
            return Ok(());
        }
        let due = plus_days(action.ex_date, LATE_DAYS);
        if due > self.horizon {
            self.next_due = Some(self.next_due.map_or(due, |next| next.min(due)));
            return Ok(());
        }
        let amount = self
            .book(account, asset)
            .quantity()
            .mul(action.value, MONEY)?;
        let symbol = self.market.asset(asset).symbol.clone();
        self.warnings.push(Warning::ExpectedDividend {
            account: account.0,
            symbol,
            ex_date: action.ex_date,
            amount,
        });
        Ok(())
    }

    fn has_dividend(&self, account: AccountId, asset: AssetIx, ex_date: Date) -> bool {
        self.entries.iter().any(|entry| {
            entry.kind == Kind::Dividend
                && entry.asset == Some(asset)
                && entry.account == account
                && (EARLY_DAYS..=LATE_DAYS).contains(&days_between(ex_date, entry.date))
        })
    }

    /// A broker's own split row: the known one within five days already did it.
    pub(super) fn apply_split_row(
        &mut self,
        entry: &Entry,
        asset: AssetIx,
        ratio: Decimal,
    ) -> Result<(), LedgerError> {
        let known = self.market.asset(asset).actions.iter().any(|action| {
            action.kind == ActionKind::Split
                && days_between(action.ex_date, entry.date).abs() <= SAME_SPLIT_DAYS
        });
        if !known {
            self.book(entry.account, asset).split(ratio)?;
        }
        Ok(())
    }
}
