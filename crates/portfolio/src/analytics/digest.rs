//! What overviews need of a portfolio: computed with it, and read back while it has not changed.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::decimal::Decimal;
use crate::figures::{Closing, PeriodFigures};
use crate::ledger::Warning;
use crate::money::Currency;
use crate::returns::CASH;

use super::envelope::Issue;

/// What one asset added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// The asset.
    pub symbol: String,
    /// Its part of the time-weighted return since inception.
    #[serde(deserialize_with = "super::exact::float")]
    pub contribution: f64,
}

/// A portfolio in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PortfolioDigest {
    /// The base currency.
    pub base: Currency,
    /// The last day.
    pub as_of: Date,
    /// Net asset value.
    pub nav: Decimal,
    /// Unrealised gain.
    pub unrealised: Decimal,
    /// Realised gain since inception.
    pub realised: Decimal,
    /// Value in base currency by symbol; cash is `CASH:` and its currency.
    pub values: BTreeMap<String, Decimal>,
    /// Open positions.
    pub investments: usize,
    /// Without cash.
    pub contributions: Vec<Contribution>,
    /// Warnings about the ledger.
    pub warnings: Vec<Issue>,
}

impl PortfolioDigest {
    /// A portfolio in which nothing has happened.
    pub(super) fn empty(base: Currency, as_of: Date) -> PortfolioDigest {
        PortfolioDigest {
            base,
            as_of,
            nav: Decimal::ZERO,
            unrealised: Decimal::ZERO,
            realised: Decimal::ZERO,
            values: BTreeMap::new(),
            investments: 0,
            contributions: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(super) fn of(
        closing: &Closing,
        cash_base: &BTreeMap<Currency, Decimal>,
        since_inception: &PeriodFigures,
    ) -> PortfolioDigest {
        let held = closing
            .positions
            .iter()
            .map(|(symbol, position)| (symbol.clone(), position.value_base));
        let cash = cash_base
            .iter()
            .filter(|(_, base)| !base.is_zero())
            .map(|(currency, base)| (format!("{CASH}:{currency}"), *base));
        let parts = since_inception
            .contribution
            .iter()
            .flatten()
            .filter(|(symbol, _)| *symbol != CASH);
        PortfolioDigest {
            base: closing.base,
            as_of: closing.date,
            nav: closing.nav,
            unrealised: closing.unrealised_gain_base,
            realised: closing.realised_gain_base,
            values: held.chain(cash).collect(),
            investments: closing.positions.len(),
            contributions: parts
                .map(|(symbol, value)| Contribution {
                    symbol: symbol.clone(),
                    contribution: *value,
                })
                .collect(),
            warnings: Vec::new(),
        }
    }
}

/// A ledger's warning as an issue of its portfolio.
pub(super) fn issue(portfolio_id: i64, warning: &Warning) -> Issue {
    let (code, message) = match warning {
        Warning::DuplicateIgnored {
            transaction,
            external_id,
        } => (
            "duplicate_ignored",
            format!(
                "transaction {transaction} repeats the external id {external_id} and is not counted"
            ),
        ),
        Warning::PossibleDuplicate { transactions } => (
            "possible_duplicate",
            format!("transactions {transactions:?} look the same; all are counted"),
        ),
        Warning::ExpectedDividend {
            account,
            symbol,
            ex_date,
            amount,
        } => (
            "expected_dividend",
            format!(
                "account {account} held {symbol} on {ex_date}; its dividend of {amount} is not recorded"
            ),
        ),
    };
    Issue {
        scope: "portfolio".to_owned(),
        id: Some(portfolio_id.into()),
        code: code.to_owned(),
        message,
    }
}
