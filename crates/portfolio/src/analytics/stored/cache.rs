//! A portfolio's cache entries: the few figures that dashboards ask for most.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use super::super::compute::Computed;
use super::super::envelope::Issue;
use super::super::load::Target;
use super::json;
use crate::decimal::Decimal;
use crate::figures::{Closing, PeriodFigures};
use crate::money::Currency;

/// A portfolio in short.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    base: Currency,
    as_of: Date,
    nav: Decimal,
    unrealised: Decimal,
    realised: Decimal,
    investments: usize,
    warnings: &'a [Issue],
}

/// What is held.
#[derive(Debug, Serialize)]
struct Holdings<'a> {
    nav: Decimal,
    cash: &'a BTreeMap<Currency, Decimal>,
    /// Values in base currency by symbol.
    positions: BTreeMap<&'a str, Decimal>,
}

/// The figures of one period.
#[derive(Debug, Serialize)]
struct Performance {
    twr: Option<f64>,
    xirr: Option<f64>,
    volatility: Option<f64>,
    max_drawdown: Option<f64>,
}

/// The values of a portfolio's cache entries: summary, holdings, performance.
pub(in super::super) fn cache_values(target: &Target, computed: &Computed) -> [String; 3] {
    let performance: BTreeMap<&str, Performance> = computed
        .periods
        .iter()
        .map(|(period, figures)| (period.as_str(), Performance::of(figures)))
        .collect();
    [
        json(&Summary::of(target, computed)),
        json(&computed.closing.as_ref().map(Holdings::of)),
        json(&performance),
    ]
}

impl<'a> Summary<'a> {
    fn of(target: &Target, computed: &'a Computed) -> Summary<'a> {
        let closing = computed.closing.as_ref();
        let sum = |of: fn(&Closing) -> Decimal| closing.map(of).unwrap_or_default();
        Summary {
            base: target.row.base_currency,
            as_of: target.as_of,
            nav: sum(|closing| closing.nav),
            unrealised: sum(|closing| closing.unrealised_gain_base),
            realised: sum(|closing| closing.realised_gain_base),
            investments: closing.map_or(0, |closing| closing.positions.len()),
            warnings: &computed.warnings,
        }
    }
}

impl<'a> Holdings<'a> {
    fn of(closing: &'a Closing) -> Holdings<'a> {
        let positions = closing.positions.iter();
        Holdings {
            nav: closing.nav,
            cash: &closing.cash,
            positions: positions
                .map(|(symbol, position)| (symbol.as_str(), position.value_base))
                .collect(),
        }
    }
}

impl Performance {
    fn of(figures: &PeriodFigures) -> Performance {
        let stats = figures.stats.as_ref();
        Performance {
            twr: figures.twr,
            xirr: figures.mwr.rate,
            volatility: stats.and_then(|stats| stats.volatility),
            max_drawdown: stats.and_then(|stats| Some(stats.max_drawdown.as_ref()?.depth)),
        }
    }
}
