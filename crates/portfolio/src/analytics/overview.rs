//! Overviews over several portfolios: a user's in the user's currency, and the whole installation's.

use std::collections::BTreeMap;

use compact_str::CompactString;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::envelope::RefreshData;
use super::tally::{Known, Tally};
use crate::allocation::Weights;
use crate::decimal::{Decimal, MONEY};
use crate::fx::RateTable;
use crate::ledger::LedgerError;
use crate::money::Currency;

/// One portfolio within a user's summary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PortfolioLine {
    /// The portfolio.
    pub portfolio_id: i64,
    /// Its name.
    pub name: String,
    /// Its base currency.
    pub base: Currency,
    /// Net asset value in it.
    pub nav: Decimal,
    /// Net asset value in the user's currency.
    pub nav_user: Decimal,
}

/// All portfolios of a user, in the user's currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserSummary {
    /// The user.
    pub user_id: i64,
    /// The user's currency.
    pub base: Currency,
    /// The last day; of several the latest.
    pub as_of: Option<Date>,
    /// Net asset value.
    pub nav: Decimal,
    /// Unrealised gain.
    pub unrealised: Decimal,
    /// Realised gain since inception.
    pub realised: Decimal,
    /// The portfolios. One that failed is not among them.
    pub portfolios: Vec<PortfolioLine>,
}

/// The whole installation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GlobalOverview {
    /// Counts, totals and rankings.
    pub counts: RefreshData,
    /// The currency of the allocation: the one that most portfolios have.
    pub currency: Currency,
    /// Shares of the sum of net asset values by symbol; `None` when that is not positive.
    pub allocation: Option<Weights>,
}

impl UserSummary {
    /// Sums portfolios at the rates of their days.
    pub(super) fn of(
        user_id: i64,
        base: Currency,
        known: &[&Known],
        rates: &RateTable,
    ) -> Result<UserSummary, LedgerError> {
        let as_of = known.iter().map(|known| known.as_of).max();
        let mut summary = UserSummary {
            user_id,
            base,
            as_of,
            nav: Decimal::ZERO,
            unrealised: Decimal::ZERO,
            realised: Decimal::ZERO,
            portfolios: Vec::with_capacity(known.len()),
        };
        for portfolio in known {
            let row = &portfolio.row;
            let rate = rate(rates, row.base_currency, portfolio.as_of, base)?;
            let nav_user = portfolio.nav.mul(rate, MONEY)?;
            summary.nav += nav_user;
            summary.unrealised += portfolio.unrealised.mul(rate, MONEY)?;
            summary.realised += portfolio.realised.mul(rate, MONEY)?;
            summary.portfolios.push(PortfolioLine {
                portfolio_id: row.id,
                name: row.name.clone(),
                base: row.base_currency,
                nav: portfolio.nav,
                nav_user,
            });
        }
        Ok(summary)
    }
}

impl GlobalOverview {
    pub(super) fn of(
        counts: &RefreshData,
        tally: &Tally,
        rates: &RateTable,
    ) -> Result<Option<GlobalOverview>, LedgerError> {
        let Some(currency) = most_common(&tally.known) else {
            return Ok(None);
        };
        let mut values: BTreeMap<CompactString, Decimal> = BTreeMap::new();
        for ((base, day), held) in &tally.values {
            let rate = rate(rates, *base, *day, currency)?;
            for (symbol, value) in held {
                *values.entry(symbol.clone()).or_default() += value.mul(rate, MONEY)?;
            }
        }
        let sum: Decimal = values.values().copied().sum();
        let share =
            |(symbol, value): (CompactString, Decimal)| (symbol, value.to_f64() / sum.to_f64());
        let allocation = sum
            .is_positive()
            .then(|| values.into_iter().map(share).collect());
        Ok(Some(GlobalOverview {
            counts: counts.clone(),
            currency,
            allocation,
        }))
    }
}

fn rate(
    rates: &RateTable,
    from: Currency,
    date: Date,
    to: Currency,
) -> Result<Decimal, LedgerError> {
    let currency = from;
    let missing = LedgerError::MissingFx { currency, date };
    rates.rate(from, to, date).ok_or(missing)
}

fn most_common(known: &[Known]) -> Option<Currency> {
    let mut counts: BTreeMap<Currency, usize> = BTreeMap::new();
    for known in known {
        *counts.entry(known.row.base_currency).or_default() += 1;
    }
    counts
        .into_iter()
        .max_by_key(|(currency, count)| (*count, std::cmp::Reverse(*currency)))
        .map(|(currency, _)| currency)
}
