//! Rows that move cash, and lots that move to another asset.

use super::apply::Money;
use super::book::Lot;
use super::entry::{Entry, Kind};
use super::error::LedgerError;
use super::state::{Flow, IncomeItem, Ledger};
use crate::decimal::{Decimal, MONEY, QUANTITY};
use crate::market::AssetIx;

impl Ledger<'_> {
    pub(super) fn deposit(&mut self, entry: &Entry, money: Money) -> Result<(), LedgerError> {
        let amount = entry.required_amount()?;
        self.move_cash(entry.account, money.currency, amount, money.rate)?;
        self.flows.push(Flow {
            date: entry.date,
            inflow: amount.mul(money.rate, MONEY)?,
            outflow: Decimal::ZERO,
        });
        Ok(())
    }

    pub(super) fn withdraw(&mut self, entry: &Entry, money: Money) -> Result<(), LedgerError> {
        let amount = entry.required_amount()?;
        self.move_cash(entry.account, money.currency, -amount, money.rate)?;
        self.flows.push(Flow {
            date: entry.date,
            inflow: Decimal::ZERO,
            outflow: amount.mul(money.rate, MONEY)?,
        });
        Ok(())
    }

    pub(super) fn dividend(&mut self, entry: &Entry, money: Money) -> Result<(), LedgerError> {
        let amount = entry.required_amount()?;
        let (amount_base, tax_base) = (
            amount.mul(money.rate, MONEY)?,
            entry.tax.mul(money.rate, MONEY)?,
        );
        self.move_cash(
            entry.account,
            money.currency,
            amount - entry.tax,
            money.rate,
        )?;
        self.totals.dividends += amount_base;
        self.totals.taxes += tax_base;
        if let Some(asset) = entry.asset {
            self.spend(asset, tax_base - amount_base);
        }
        self.income.push(IncomeItem {
            date: entry.date,
            asset: entry.asset,
            amount,
            currency: money.currency,
            amount_base,
            tax: entry.tax,
            tax_base,
            automatic: false,
        });
        Ok(())
    }

    pub(super) fn interest(&mut self, entry: &Entry, money: Money) -> Result<(), LedgerError> {
        let amount = entry.required_amount()?;
        self.move_cash(
            entry.account,
            money.currency,
            amount - entry.tax,
            money.rate,
        )?;
        self.totals.interest += amount.mul(money.rate, MONEY)?;
        self.totals.taxes += entry.tax.mul(money.rate, MONEY)?;
        Ok(())
    }

    pub(super) fn charge(&mut self, entry: &Entry, money: Money) -> Result<(), LedgerError> {
        let amount = entry.required_amount()?;
        self.move_cash(entry.account, money.currency, -amount, money.rate)?;
        let base = amount.mul(money.rate, MONEY)?;
        match entry.kind {
            Kind::Tax => self.totals.taxes += base,
            _ => self.totals.fees += base,
        }
        Ok(())
    }

    /// What the conversion's rate differs from the table's shows as currency gain or loss on cash.
    pub(super) fn convert(&mut self, entry: &Entry, money: Money) -> Result<(), LedgerError> {
        let amount = entry.required_amount()?;
        let bought = entry.required(entry.to_amount, "to_amount")?;
        let currency = entry.required(entry.to_currency, "to_currency")?;
        self.move_cash(
            entry.account,
            money.currency,
            -amount - entry.fee,
            money.rate,
        )?;
        self.move_cash_at(
            entry.account,
            currency,
            bought,
            amount.mul(money.rate, MONEY)?,
        );
        self.totals.fees += entry.fee.mul(money.rate, MONEY)?;
        Ok(())
    }

    pub(super) fn spin_off(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        let (parent, child, ratio) = successor(entry)?;
        let fraction = entry.required(entry.cost_fraction, "a cost fraction")?;
        let mut lots = Vec::new();
        for lot in self.book(entry.account, parent).lots_mut() {
            let (cost, cost_base) = (
                lot.cost.mul(fraction, MONEY)?,
                lot.cost_base.mul(fraction, MONEY)?,
            );
            lot.cost -= cost;
            lot.cost_base -= cost_base;
            lots.push(Lot {
                id: lot.id,
                date: lot.date,
                quantity: lot.quantity.mul(ratio, QUANTITY)?,
                cost,
                cost_base,
            });
        }
        self.hand_over(entry, parent, child, lots)
    }

    pub(super) fn change_symbol(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        let (old, new, ratio) = successor(entry)?;
        let mut lots = self.book(entry.account, old).drain();
        for lot in &mut lots {
            lot.quantity = lot.quantity.mul(ratio, QUANTITY)?;
        }
        self.hand_over(entry, old, new, lots)
    }

    /// Opens lots of the new asset; its value that day counts as taken from the old one (for contributions only).
    fn hand_over(
        &mut self,
        entry: &Entry,
        old: AssetIx,
        new: AssetIx,
        lots: Vec<Lot>,
    ) -> Result<(), LedgerError> {
        let mut quantity = Decimal::ZERO;
        for lot in lots {
            quantity += lot.quantity;
            self.book(entry.account, new).open(lot);
        }
        if let Some(price) = self.market.asset(new).price(entry.date) {
            let rate = self.rate(self.market.asset(new).currency, entry.date)?;
            let value = price.value(quantity)?.mul(rate, MONEY)?;
            self.spend(new, value);
            self.spend(old, -value);
        }
        Ok(())
    }
}

/// Old asset, new asset and new units per old unit.
fn successor(entry: &Entry) -> Result<(AssetIx, AssetIx, Decimal), LedgerError> {
    let old = entry.required_asset()?;
    let new = entry.required(entry.to_asset, "to_symbol")?;
    let ratio = match entry.kind {
        Kind::SymbolChange => entry.ratio.unwrap_or(Decimal::ONE),
        _ => entry.required(entry.ratio, "a ratio")?,
    };
    Ok((old, new, ratio))
}
