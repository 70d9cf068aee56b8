//! A portfolio's cache entries: the few figures that dashboards ask for most, taken out of its row.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use super::super::envelope::Issue;
use super::{Headline, Payload, json};
use crate::decimal::Decimal;
use crate::money::Currency;

/// What cache entries there are of a portfolio; the last part of their keys.
pub(crate) const CACHED_PARTS: [&str; 3] = ["summary", "holdings", "performance"];

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

/// The value of one of [`CACHED_PARTS`]; `None` of another part.
pub(super) fn value(payload: &Payload<'_>, part: &str) -> Option<String> {
    match part {
        "summary" => Some(summary(payload)),
        "holdings" => Some(holdings(payload)),
        "performance" => Some(performance(payload)),
        _ => None,
    }
}

fn summary(payload: &Payload<'_>) -> String {
    let sums = payload.closing.as_ref().map(|closing| closing.sums());
    let (nav, unrealised, realised) = sums
        .as_ref()
        .map(|sums| (sums.nav, sums.unrealised, sums.realised))
        .unwrap_or_default();
    json(&Summary {
        base: payload.base,
        as_of: payload.as_of,
        nav,
        unrealised,
        realised,
        investments: sums.map_or(0, |sums| sums.positions.len()),
        warnings: &payload.warnings.0,
    })
}

fn holdings(payload: &Payload<'_>) -> String {
    let closing = payload.closing.as_ref();
    json(&closing.map(|closing| {
        let sums = closing.sums();
        Holdings {
            nav: sums.nav,
            cash: sums.cash,
            positions: sums.positions,
        }
    }))
}

fn performance(payload: &Payload<'_>) -> String {
    let rows = payload.periods.iter().filter(|row| !row.is_empty());
    let periods: BTreeMap<String, Performance> = rows
        .map(|row| row.headline())
        .map(|headline| (headline.period.clone(), Performance::of(&headline)))
        .collect();
    json(&periods)
}

impl Performance {
    fn of(headline: &Headline) -> Performance {
        Performance {
            twr: headline.twr,
            xirr: headline.xirr,
            volatility: headline.volatility,
            max_drawdown: headline.max_drawdown,
        }
    }
}
