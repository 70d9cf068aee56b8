//! A line of a statement, and what each kind of line must have.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::decimal::Decimal;
use crate::money::Currency;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineKind {
    Transaction,
    Position,
    Cash,
}

/// A line, in the words of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatementLine {
    /// Where it is in the file, so that a person finds it.
    #[serde(rename = "line_no")]
    pub number: i64,
    pub kind: LineKind,
    pub date: Option<Date>,
    pub settle_date: Option<Date>,
    /// The ledger's word for a transaction.
    #[serde(rename = "type")]
    pub type_: Option<String>,
    pub symbol: Option<String>,
    pub isin: Option<String>,
    pub quantity: Option<Decimal>,
    pub price: Option<Decimal>,
    /// What it does to the account's cash, with its sign; for cash lines what is there.
    pub amount: Option<Decimal>,
    pub currency: Option<Currency>,
    pub external_id: Option<String>,
    pub description: Option<String>,
}

impl StatementLine {
    /// A line with nothing but its place.
    pub(super) fn new(number: i64, kind: LineKind) -> StatementLine {
        StatementLine {
            number,
            kind,
            date: None,
            settle_date: None,
            type_: None,
            symbol: None,
            isin: None,
            quantity: None,
            price: None,
            amount: None,
            currency: None,
            external_id: None,
            description: None,
        }
    }

    /// The field that a line of this kind needs and does not have.
    pub(super) fn missing(&self) -> Option<&'static str> {
        let names_security = self.symbol.is_some() || self.isin.is_some();
        let needs: &[(&'static str, bool)] = match self.kind {
            LineKind::Transaction => &[
                ("date", self.date.is_some()),
                ("type", self.type_.is_some()),
                ("amount", self.amount.is_some()),
                ("currency", self.currency.is_some()),
            ],
            LineKind::Position => &[
                ("symbol", names_security),
                ("quantity", self.quantity.is_some()),
            ],
            LineKind::Cash => &[
                ("amount", self.amount.is_some()),
                ("currency", self.currency.is_some()),
            ],
        };
        needs
            .iter()
            .find(|(_, there)| !there)
            .map(|(name, _)| *name)
    }
}
