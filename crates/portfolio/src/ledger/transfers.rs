//! Lots that come and go without a trade: transfers, fractions paid in cash, returned capital.

use super::apply::Money;
use super::book::{Lot, Slice};
use super::entry::Entry;
use super::error::LedgerError;
use super::state::{Flow, Ledger, gain};
use super::trade::close_error;
use crate::decimal::{Decimal, MONEY};
use crate::market::AssetIx;

impl Ledger<'_> {
    pub(super) fn transfer_in(&mut self, entry: &Entry, money: Money) -> Result<(), LedgerError> {
        let (asset, quantity, cost) = (
            entry.required_asset()?,
            entry.required_quantity()?,
            entry.required_amount()?,
        );
        let date = entry.acquired_on.unwrap_or(entry.date);
        let cost_base = cost.mul(self.rate(money.currency, date)?, MONEY)?;
        self.book(entry.account, asset).open(Lot {
            id: entry.id,
            date,
            quantity,
            cost,
            cost_base,
        });
        let value = match self.price(asset, entry.date) {
            Some((price, _)) => price.value(quantity)?,
            None => cost,
        };
        let inflow = value.mul(money.rate, MONEY)?;
        self.flows.push(Flow {
            date: entry.date,
            inflow,
            outflow: Decimal::ZERO,
        });
        self.spend(asset, inflow);
        self.totals.transfer_gain += cost_base - inflow;
        Ok(())
    }

    /// Lots leave at cost: no gain. The flow is their market value, or their cost while there is no price.
    pub(super) fn transfer_out(&mut self, entry: &Entry, money: Money) -> Result<(), LedgerError> {
        let (asset, quantity) = (entry.required_asset()?, entry.required_quantity()?);
        let held = self.book(entry.account, asset).quantity();
        if quantity > held {
            return Err(self.oversell(entry, asset, held.max(Decimal::ZERO), quantity));
        }
        let book = self.book(entry.account, asset);
        let slices = book
            .close(quantity, Decimal::ZERO, &entry.lot_picks)
            .map_err(|error| close_error(entry, &error))?;
        let cost: Decimal = slices.iter().map(|slice| slice.cost).sum();
        let cost_base: Decimal = slices.iter().map(|slice| slice.cost_base).sum();
        let value = match self.price(asset, entry.date) {
            Some((price, _)) => price.value(quantity)?,
            None => cost,
        };
        let outflow = value.mul(money.rate, MONEY)?;
        self.flows.push(Flow {
            date: entry.date,
            inflow: Decimal::ZERO,
            outflow,
        });
        self.spend(asset, -outflow);
        self.totals.transfer_gain += outflow - cost_base;
        Ok(())
    }

    /// Sells the fraction of a unit that a corporate action left; the quantity may be left out.
    pub(super) fn cash_in_lieu(&mut self, entry: &Entry, money: Money) -> Result<(), LedgerError> {
        let (asset, amount) = (entry.required_asset()?, entry.required_amount()?);
        let held = self.book(entry.account, asset).quantity();
        let quantity = entry.quantity.unwrap_or(held - held.trunc());
        if quantity.is_zero() || quantity > held {
            return Err(self.oversell(entry, asset, held, quantity));
        }
        let net = amount - entry.fee - entry.tax;
        self.move_cash(entry.account, money.currency, net, money.rate)?;
        self.spend(asset, -net.mul(money.rate, MONEY)?);
        self.close(entry, asset, quantity, net, money.rate)
    }

    /// Lowers cost by quantity share; what exceeds a lot's cost is a gain.
    pub(super) fn return_of_capital(
        &mut self,
        entry: &Entry,
        money: Money,
    ) -> Result<(), LedgerError> {
        let (asset, amount) = (entry.required_asset()?, entry.required_amount()?);
        let total = self.book(entry.account, asset).quantity();
        if total.is_zero() {
            return Err(entry.invalid("capital is returned on an asset that is not held"));
        }
        self.move_cash(entry.account, money.currency, amount, money.rate)?;
        self.spend(asset, -amount.mul(money.rate, MONEY)?);
        let count = self.book(entry.account, asset).lots().len();
        let mut left = amount;
        for index in 0..count {
            let quantity = self.book(entry.account, asset).lots()[index].quantity;
            let part = if index + 1 == count {
                left
            } else {
                amount.mul_div(quantity, total, MONEY)?
            };
            left -= part;
            self.return_to_lot(entry, asset, index, part, money.rate)?;
        }
        Ok(())
    }

    fn return_to_lot(
        &mut self,
        entry: &Entry,
        asset: AssetIx,
        index: usize,
        part: Decimal,
        rate: Decimal,
    ) -> Result<(), LedgerError> {
        let lot = &mut self.book(entry.account, asset).lots_mut()[index];
        let cut = part.min(lot.cost);
        let cut_base = if cut == lot.cost {
            lot.cost_base
        } else {
            lot.cost_base.mul_div(cut, lot.cost, MONEY)?
        };
        lot.cost -= cut;
        lot.cost_base -= cut_base;
        let slice = Slice {
            lot: lot.id,
            opened: Some(lot.date),
            quantity: Decimal::ZERO,
            proceeds: part,
            cost: cut,
            cost_base: cut_base,
        };
        let mut gain = gain(entry, asset, &slice, rate)?;
        gain.price_gain_base = (part - cut).mul(rate, MONEY)?;
        gain.fx_gain_base = gain.gain_base - gain.price_gain_base;
        if gain.gain.is_positive() || !gain.gain_base.is_zero() {
            self.realised.push(gain);
        }
        Ok(())
    }
}
