//! The two sides that are compared.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::decimal::Decimal;
use crate::money::Currency;

/// A transaction of either side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The ledger row's id, or the line's number.
    pub id: i64,
    /// The ledger's word for it, such as `dividend`.
    pub kind: String,
    pub symbol: Option<String>,
    /// Positive for buy and sell alike; zero when nothing moves.
    pub quantity: Decimal,
    /// What it does to the account's cash, with its sign.
    pub amount: Decimal,
    pub date: Date,
    /// The custodian's own identifier.
    pub reference: Option<String>,
    pub currency: Currency,
}

impl Row {
    /// What the row does to the position.
    pub(super) fn position_change(&self) -> Decimal {
        match self.kind.as_str() {
            "buy" | "transfer_in" => self.quantity,
            "sell" | "transfer_out" => -self.quantity,
            _ => Decimal::ZERO,
        }
    }
}

/// A position of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    pub quantity: Decimal,
    pub price: Option<Decimal>,
}

/// One account as the ledger has it, on the statement's date.
#[derive(Clone, Debug, Default)]
pub struct LedgerSide {
    pub rows: Vec<Row>,
    /// By symbol.
    pub positions: BTreeMap<String, Holding>,
    pub cash: BTreeMap<Currency, Decimal>,
    /// Symbols the application knows, besides those of rows and positions.
    pub known_symbols: BTreeSet<String>,
    /// The first and last day whose rows the statement should have; other rows may match and are not missed. None means all.
    pub period: Option<(Date, Date)>,
}

/// What a statement covers; the rest is not compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sections {
    pub transactions: bool,
    pub positions: bool,
    pub cash: bool,
}

/// A position line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatedPosition {
    pub line: i64,
    pub quantity: Decimal,
    pub price: Option<Decimal>,
}

/// A cash line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatedCash {
    pub line: i64,
    pub amount: Decimal,
}

/// A custodian's statement.
#[derive(Clone, Debug)]
pub struct Statement {
    pub as_of: Date,
    pub sections: Sections,
    pub rows: Vec<Row>,
    /// By symbol.
    pub positions: BTreeMap<String, StatedPosition>,
    pub cash: BTreeMap<Currency, StatedCash>,
}
