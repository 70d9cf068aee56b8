//! What stops one portfolio's ledger.

use jiff::civil::Date;

use crate::decimal::{Decimal, OutOfRange};
use crate::money::Currency;

/// An error of one portfolio; others are not affected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// More was sold than is held, and shorts are not allowed.
    #[error("transaction {id} sells {quantity} {symbol}, {held} held")]
    Oversell {
        /// The row.
        id: i64,
        /// The asset.
        symbol: String,
        /// What is held before the row.
        held: Decimal,
        /// What the row sells.
        quantity: Decimal,
    },
    /// No exchange rate on or before the date.
    #[error("no exchange rate for {currency} on {date}: import rates that start earlier")]
    MissingFx {
        /// The currency without a rate.
        currency: Currency,
        /// The date asked for.
        date: Date,
    },
    /// A type this version does not know.
    #[error("transaction {id} has the unknown type {kind}")]
    UnknownType {
        /// The row.
        id: i64,
        /// Its type.
        kind: String,
    },
    /// A row that lacks something its type needs, or contradicts the state.
    #[error("transaction {id}: {rule}")]
    Invalid {
        /// The row.
        id: i64,
        /// What is missing or wrong.
        rule: String,
    },
    /// A product left the range of exact decimals.
    #[error("an amount is out of range: {0}")]
    OutOfRange(#[from] OutOfRange),
}

impl LedgerError {
    /// The stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            LedgerError::Oversell { .. } => "oversell",
            LedgerError::MissingFx { .. } => "missing_fx",
            LedgerError::UnknownType { .. } => "unknown_type",
            LedgerError::Invalid { .. } => "invalid_transaction",
            LedgerError::OutOfRange(_) => "out_of_range",
        }
    }
}
