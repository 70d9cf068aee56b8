//! What overviews need of a portfolio: computed with it, and read back while it has not changed.

use std::collections::BTreeMap;

use compact_str::CompactString;
use jiff::civil::Date;

use crate::allocation::Weights;
use crate::decimal::Decimal;
use crate::figures::Closing;
use crate::ledger::Warning;
use crate::money::Currency;
use crate::returns::{CASH, cash_of};

use super::envelope::Issue;

/// A portfolio in short.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PortfolioDigest {
    /// The base currency.
    pub(super) base: Currency,
    /// The last day.
    pub(super) as_of: Date,
    /// Net asset value.
    pub(super) nav: Decimal,
    /// Unrealised gain.
    pub(super) unrealised: Decimal,
    /// Realised gain since inception.
    pub(super) realised: Decimal,
    /// Open positions.
    pub(super) investments: usize,
    /// Value in base currency by symbol; cash is `CASH:` and its currency.
    pub(super) values: Vec<(CompactString, Decimal)>,
    /// What each asset added to the time-weighted return since inception; without cash.
    pub(super) contributions: Weights,
    /// Warnings about the ledger.
    pub(super) warnings: Vec<Issue>,
}

impl PortfolioDigest {
    /// A portfolio in which nothing has happened.
    pub(super) fn empty(base: Currency, as_of: Date, warnings: Vec<Issue>) -> PortfolioDigest {
        PortfolioDigest {
            base,
            as_of,
            nav: Decimal::ZERO,
            unrealised: Decimal::ZERO,
            realised: Decimal::ZERO,
            investments: 0,
            values: Vec::new(),
            contributions: Weights::new(),
            warnings,
        }
    }

    /// Out of the state on the last day, cash in base currency, and contributions since inception.
    pub(super) fn of(
        closing: Closing,
        cash_base: &BTreeMap<Currency, Decimal>,
        mut contributions: Weights,
        warnings: Vec<Issue>,
    ) -> PortfolioDigest {
        contributions.remove(CASH);
        let investments = closing.positions.len();
        let held = closing.positions.into_iter();
        let held = held.map(|(symbol, position)| (symbol, position.value_base));
        let cash = cash_base
            .iter()
            .filter(|(_, base)| !base.is_zero())
            .map(|(currency, base)| (cash_of(*currency), *base));
        PortfolioDigest {
            base: closing.base,
            as_of: closing.date,
            nav: closing.nav,
            unrealised: closing.unrealised_gain_base,
            realised: closing.realised_gain_base,
            investments,
            values: held.chain(cash).collect(),
            contributions,
            warnings,
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
