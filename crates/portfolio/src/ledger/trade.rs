//! Trades: closing lots first, then opening the rest.

use super::apply::Money;
use super::book::{CloseError, Lot};
use super::entry::{Entry, Kind};
use super::error::LedgerError;
use super::state::Ledger;
use crate::decimal::{Decimal, MONEY};
use crate::market::AssetIx;

/// A purchase or sale, or the part of one that closes or opens lots.
#[derive(Clone, Copy)]
struct Trade {
    asset: AssetIx,
    selling: bool,
    quantity: Decimal,
    amount: Decimal,
    /// Fee and tax.
    costs: Decimal,
}

impl Trade {
    fn of(entry: &Entry) -> Result<Trade, LedgerError> {
        Ok(Trade {
            asset: entry.required_asset()?,
            selling: entry.kind == Kind::Sell,
            quantity: entry.required_quantity()?,
            amount: entry.required_amount()?,
            costs: entry.fee + entry.tax,
        })
    }

    /// Cash that it brings; negative for a purchase.
    fn net(&self) -> Decimal {
        if self.selling {
            self.amount - self.costs
        } else {
            -(self.amount + self.costs)
        }
    }

    /// The quantity by which a position falls; negative for a purchase.
    fn sold(&self) -> Decimal {
        if self.selling {
            self.quantity
        } else {
            -self.quantity
        }
    }

    /// Divides it by quantity into the part up to `closing` and the rest.
    fn split(self, closing: Decimal) -> Result<(Trade, Trade), LedgerError> {
        let (amount, costs) = if closing == self.quantity {
            (self.amount, self.costs)
        } else {
            let share = |money: Decimal| money.mul_div(closing, self.quantity, MONEY);
            (share(self.amount)?, share(self.costs)?)
        };
        let first = Trade {
            quantity: closing,
            amount,
            costs,
            ..self
        };
        let rest = Trade {
            quantity: self.quantity - closing,
            amount: self.amount - amount,
            costs: self.costs - costs,
            ..self
        };
        Ok((first, rest))
    }
}

impl Ledger<'_> {
    pub(super) fn trade(&mut self, entry: &Entry, money: Money) -> Result<(), LedgerError> {
        let trade = Trade::of(entry)?;
        self.move_cash(entry.account, money.currency, trade.net(), money.rate)?;
        self.spend(trade.asset, (-trade.net()).mul(money.rate, MONEY)?);
        let (closing, opening) = trade.split(self.closable(entry, &trade)?)?;
        if closing.quantity.is_positive() {
            self.close(
                entry,
                trade.asset,
                closing.sold(),
                closing.net(),
                money.rate,
            )?;
        }
        if opening.quantity.is_positive() {
            let cost = -opening.net();
            let cost_base = cost.mul(money.rate, MONEY)?;
            let lot = Lot {
                id: entry.id,
                date: entry.date,
                quantity: -opening.sold(),
                cost,
                cost_base,
            };
            self.book(entry.account, trade.asset).open(lot);
        }
        Ok(())
    }

    /// How much of a trade closes lots; the rest would open new ones.
    fn closable(&mut self, entry: &Entry, trade: &Trade) -> Result<Decimal, LedgerError> {
        let held = self.book(entry.account, trade.asset).quantity();
        let open = if trade.selling { held } else { -held };
        let closing = trade.quantity.min(open.max(Decimal::ZERO));
        let may_be_short = self.rules.short_accounts.contains(&entry.account);
        if closing < trade.quantity && trade.selling && !may_be_short {
            return Err(self.oversell(entry, trade.asset, held.max(Decimal::ZERO), trade.quantity));
        }
        Ok(closing)
    }

    pub(super) fn oversell(
        &self,
        entry: &Entry,
        asset: AssetIx,
        held: Decimal,
        quantity: Decimal,
    ) -> LedgerError {
        LedgerError::Oversell {
            id: entry.id,
            symbol: self.market.asset(asset).symbol.clone(),
            held,
            quantity,
        }
    }

    pub(super) fn close(
        &mut self,
        entry: &Entry,
        asset: AssetIx,
        quantity: Decimal,
        proceeds: Decimal,
        rate: Decimal,
    ) -> Result<(), LedgerError> {
        let book = self.book(entry.account, asset);
        let slices = book
            .close(quantity, proceeds, &entry.lot_picks)
            .map_err(|error| close_error(entry, &error))?;
        self.realise(entry, asset, slices, rate)
    }
}

pub(super) fn close_error(entry: &Entry, error: &CloseError) -> LedgerError {
    match error {
        CloseError::UnknownLot(lot) => entry.invalid(format!("lot {lot} is not open")),
        CloseError::TooFew => entry.invalid("the chosen lots hold less than the quantity"),
        CloseError::OutOfRange => LedgerError::OutOfRange(crate::decimal::OutOfRange),
    }
}
