//! What a comparison found.

use serde::{Deserialize, Serialize};

use crate::decimal::Decimal;
use crate::money::Currency;

/// By what rows were matched, in the order of trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Equal external id.
    Reference,
    /// Equal in everything that counts, on one date.
    Exact,
    /// As exact, some days apart.
    NearDate,
    /// Several ledger rows add up to one line.
    ManyToOne,
    /// Several lines add up to one ledger row.
    OneToMany,
    /// The same trade with other money.
    SoftAmount,
}

/// How much a break matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
}

/// What differs. The order is that of the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakType {
    AmountMismatch,
    CashMismatch,
    DateMismatch,
    DuplicateInLedger,
    DuplicateInStatement,
    MissingInLedger,
    MissingInStatement,
    PositionMissingInLedger,
    PositionMissingInStatement,
    PriceMismatch,
    QuantityMismatch,
    SplitSuspected,
    SymbolMismatch,
    TimingDifference,
    TypeMismatch,
    UnknownSecurity,
}

impl BreakType {
    /// How much it matters; cash that is explained matters less.
    pub(super) fn severity(self) -> Severity {
        match self {
            BreakType::TimingDifference => Severity::Info,
            BreakType::DateMismatch | BreakType::PriceMismatch => Severity::Low,
            BreakType::AmountMismatch => Severity::Medium,
            _ => Severity::High,
        }
    }
}

/// A row of either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowRef {
    /// A line of the statement, by number.
    Line(i64),
    /// A row of the ledger, by id.
    Ledger(i64),
}

/// Rows that belong together. Deltas are statement less ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Match {
    pub rule: Rule,
    /// Ids of ledger rows.
    pub ledger: Vec<i64>,
    /// Line numbers.
    pub lines: Vec<i64>,
    pub quantity_delta: Decimal,
    pub amount_delta: Decimal,
    /// The largest distance between the two sides.
    pub date_delta_days: i64,
    pub explanation: String,
}

/// Something a person should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Break {
    #[serde(rename = "type")]
    pub kind: BreakType,
    pub severity: Severity,
    /// Ids of ledger rows.
    pub ledger: Vec<i64>,
    /// Line numbers.
    pub lines: Vec<i64>,
    pub symbol: Option<String>,
    /// Set for cash.
    pub currency: Option<Currency>,
    pub ledger_value: Option<String>,
    pub statement_value: Option<String>,
    /// Statement less ledger.
    pub difference: Option<Decimal>,
    /// For positions: the unmatched rows that account for the difference.
    pub explained_by: Option<Vec<RowRef>>,
    /// For cash: what unmatched rows and amount differences account for.
    pub explained: Option<Decimal>,
    /// For cash: the rest.
    pub unexplained: Option<Decimal>,
    pub explanation: String,
    /// Equal in every run that finds the same break, whatever the line numbers are.
    pub fingerprint: String,
}

impl Break {
    /// A break about a symbol without anything else known.
    pub(super) fn new(kind: BreakType, symbol: Option<&str>) -> Break {
        Break {
            kind,
            severity: kind.severity(),
            ledger: Vec::new(),
            lines: Vec::new(),
            symbol: symbol.map(ToOwned::to_owned),
            currency: None,
            ledger_value: None,
            statement_value: None,
            difference: None,
            explained_by: None,
            explained: None,
            unexplained: None,
            explanation: String::new(),
            fingerprint: String::new(),
        }
    }

    /// The same with a value of each side.
    pub(super) fn values(mut self, ledger: impl ToString, statement: impl ToString) -> Break {
        self.ledger_value = Some(ledger.to_string());
        self.statement_value = Some(statement.to_string());
        self
    }

    /// The same with the statement's value less the ledger's.
    pub(super) fn amounts(mut self, ledger: Decimal, statement: Decimal) -> Break {
        self.difference = Some(statement - ledger);
        self.values(ledger, statement)
    }
}

/// The result as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// No break at all.
    Matched,
    /// Only rows that are still on their way.
    TimingOnly,
    /// Something to look at.
    Breaks,
}

/// How many rows were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub ledger: usize,
    pub statement: usize,
    pub matched_ledger: usize,
    pub matched_statement: usize,
    pub unmatched_ledger: usize,
    pub unmatched_statement: usize,
    pub breaks: usize,
}

/// Everything a comparison found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    pub status: Status,
    pub counts: Counts,
    /// By line, then ledger row.
    pub matches: Vec<Match>,
    /// By type, symbol, ledger row, line and currency.
    pub breaks: Vec<Break>,
}
