//! The cash that a row moves, by the table of the ledger rules alone. [`super::apply`] books the same in its own way;
//! the two are compared by the consistency checks.

use super::entry::{Entry, Kind};
use crate::decimal::{Decimal, MONEY, OutOfRange};
use crate::market::Market;
use crate::money::Currency;

/// Signed cash movements of a row by currency.
pub fn cash_of(
    entry: &Entry,
    market: &Market,
    base: Currency,
) -> Result<Vec<(Currency, Decimal)>, OutOfRange> {
    let of_asset = || entry.asset.map(|asset| market.asset(asset).currency);
    let currency = entry.currency.or_else(of_asset).unwrap_or(base);
    let amount = match (entry.amount, entry.quantity, entry.price) {
        (Some(amount), _, _) => amount,
        (None, Some(quantity), Some(price)) => quantity.mul(price, MONEY)?,
        _ => Decimal::ZERO,
    };
    let mut moved = vec![(currency, signed(entry, amount))];
    if let (Kind::FxConversion, Some(to), Some(bought)) =
        (&entry.kind, entry.to_currency, entry.to_amount)
    {
        moved.push((to, bought));
    }
    Ok(moved)
}

fn signed(entry: &Entry, amount: Decimal) -> Decimal {
    match entry.kind {
        Kind::Deposit | Kind::ReturnOfCapital => amount,
        Kind::Withdrawal | Kind::Fee | Kind::Tax => -amount,
        Kind::Buy => -(amount + entry.fee + entry.tax),
        Kind::Sell | Kind::CashInLieu => amount - entry.fee - entry.tax,
        Kind::Dividend | Kind::Interest => amount - entry.tax,
        Kind::FxConversion => -(amount + entry.fee),
        Kind::Split
        | Kind::TransferIn
        | Kind::TransferOut
        | Kind::Spinoff
        | Kind::SymbolChange
        | Kind::Unknown(_) => Decimal::ZERO,
    }
}
