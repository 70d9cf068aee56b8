//! Applying one row: which rule books it, and what it must bring along.

use std::sync::Arc;

use super::entry::{Entry, Kind};
use super::error::LedgerError;
use super::state::Ledger;
use crate::decimal::{Decimal, MONEY};
use crate::market::{AssetIx, Price};
use crate::money::Currency;

/// The money side of a row, resolved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Money {
    pub(super) currency: Currency,
    /// Into base currency, on the row's date.
    pub(super) rate: Decimal,
}

impl Ledger<'_> {
    pub(super) fn apply_row(&mut self, row: usize) -> Result<(), LedgerError> {
        let entries = Arc::clone(&self.entries);
        let entry = &entries[row];
        if let Kind::Unknown(kind) = &entry.kind {
            return Err(LedgerError::UnknownType {
                id: entry.id,
                kind: kind.to_string(),
            });
        }
        let money = self.money(entry)?;
        self.remember_price(entry);
        self.dispatch(entry, money)
    }

    fn dispatch(&mut self, entry: &Entry, money: Money) -> Result<(), LedgerError> {
        match &entry.kind {
            Kind::Deposit => self.deposit(entry, money),
            Kind::Withdrawal => self.withdraw(entry, money),
            Kind::Buy | Kind::Sell => self.trade(entry, money),
            Kind::Dividend => self.dividend(entry, money),
            Kind::Interest => self.interest(entry, money),
            Kind::Fee | Kind::Tax => self.charge(entry, money),
            Kind::FxConversion => self.convert(entry, money),
            Kind::Split => self.apply_split_row(
                entry,
                entry.required_asset()?,
                entry.required(entry.ratio, "a ratio")?,
            ),
            Kind::TransferIn => self.transfer_in(entry, money),
            Kind::TransferOut => self.transfer_out(entry, money),
            Kind::ReturnOfCapital => self.return_of_capital(entry, money),
            Kind::Spinoff => self.spin_off(entry),
            Kind::SymbolChange => self.change_symbol(entry),
            Kind::CashInLieu => self.cash_in_lieu(entry, money),
            Kind::Unknown(kind) => Err(LedgerError::UnknownType {
                id: entry.id,
                kind: kind.to_string(),
            }),
        }
    }

    fn money(&self, entry: &Entry) -> Result<Money, LedgerError> {
        let of_asset = || entry.asset.map(|asset| self.market.asset(asset).currency);
        let currency = entry.currency.or_else(of_asset).unwrap_or(self.rules.base);
        Ok(Money {
            currency,
            rate: self.rate(currency, entry.date)?,
        })
    }

    fn remember_price(&mut self, entry: &Entry) {
        if let (Some(asset), Some(price)) = (entry.asset, entry.price) {
            self.last_trades
                .insert(asset, Price::plain(entry.date, price));
        }
    }
}

impl Entry {
    pub(super) fn invalid(&self, rule: impl Into<String>) -> LedgerError {
        LedgerError::Invalid {
            id: self.id,
            rule: rule.into(),
        }
    }

    pub(super) fn required<T>(&self, value: Option<T>, what: &str) -> Result<T, LedgerError> {
        value.ok_or_else(|| {
            self.invalid(format!("a row of type {} needs {what}", self.kind.as_str()))
        })
    }

    pub(super) fn required_asset(&self) -> Result<AssetIx, LedgerError> {
        self.required(self.asset, "a symbol")
    }

    /// Units above zero.
    pub(super) fn required_quantity(&self) -> Result<Decimal, LedgerError> {
        let quantity = self.required(self.quantity, "a quantity")?;
        if quantity.is_positive() {
            Ok(quantity)
        } else {
            Err(self.invalid("the quantity must be above zero"))
        }
    }

    /// `amount`, or `quantity * price` to money.
    pub(super) fn required_amount(&self) -> Result<Decimal, LedgerError> {
        match (self.amount, self.quantity, self.price) {
            (Some(amount), _, _) => Ok(amount),
            (None, Some(quantity), Some(price)) => Ok(quantity.mul(price, MONEY)?),
            _ => Err(self.invalid(format!(
                "a row of type {} needs an amount",
                self.kind.as_str()
            ))),
        }
    }
}
