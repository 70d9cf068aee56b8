//! Dividends: by asset, month and year, and the trailing yield.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::dates::minus_months;
use crate::decimal::Decimal;
use crate::ledger::{IncomeItem, Ledger};
use crate::valuation::Valuation;

/// Money by symbol.
pub type BySymbol = BTreeMap<String, Decimal>;

/// Dividends before tax, in base currency.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Income {
    /// By year, then symbol.
    pub by_year: BTreeMap<String, BySymbol>,
    /// By month (`2010-03`), then symbol.
    pub by_month: BTreeMap<String, BySymbol>,
    /// Over the twelve months up to the last day.
    pub trailing: Decimal,
    /// The trailing sum over the value of positions; `None` without positions.
    pub yield_on_value: Option<f64>,
    /// The trailing sum over the cost of positions; `None` without positions.
    pub yield_on_cost: Option<f64>,
}

impl Income {
    /// Sums `items`, with the trailing year ending on the valuation's day over all of the ledger's income.
    pub fn of(ledger: &Ledger<'_>, items: &[IncomeItem], valuation: &Valuation) -> Income {
        let since = minus_months(valuation.date, 12);
        let trailing = trailing(ledger, since, valuation.date);
        let value: Decimal = valuation
            .positions
            .values()
            .map(|position| position.value_base)
            .sum();
        Income {
            by_year: group(ledger, items, 4),
            by_month: group(ledger, items, 7),
            trailing,
            yield_on_value: share(trailing, value),
            yield_on_cost: share(trailing, valuation.cost_base()),
        }
    }
}

fn trailing(ledger: &Ledger<'_>, since: Date, until: Date) -> Decimal {
    let recent = ledger
        .income()
        .iter()
        .filter(|item| item.date > since && item.date <= until);
    recent.map(|item| item.amount_base).sum()
}

/// By the first characters of the date: 4 for years, 7 for months.
fn group(
    ledger: &Ledger<'_>,
    items: &[IncomeItem],
    characters: usize,
) -> BTreeMap<String, BySymbol> {
    let mut groups: BTreeMap<String, BySymbol> = BTreeMap::new();
    for item in items {
        let symbol = item.asset.map_or_else(String::new, |asset| {
            ledger.market().asset(asset).symbol.clone()
        });
        let period = item.date.to_string()[..characters].to_owned();
        *groups.entry(period).or_default().entry(symbol).or_default() += item.amount_base;
    }
    groups
}

fn share(part: Decimal, whole: Decimal) -> Option<f64> {
    whole.is_positive().then(|| part.to_f64() / whole.to_f64())
}
