//! The figures of every portfolio as a table.

use portfolio::decimal::Decimal;
use portfolio::money::Currency;
use portfolio::store::{Store, SummaryRow};
use serde::Serialize;

use crate::error::Error;
use crate::output;

#[derive(Debug, Serialize)]
struct Row {
    portfolio: String,
    period: String,
    as_of: String,
    currency: Currency,
    nav: Option<Decimal>,
    twr: Option<f64>,
    xirr: Option<f64>,
    volatility: Option<f64>,
    max_drawdown: Option<f64>,
}

impl From<SummaryRow> for Row {
    fn from(row: SummaryRow) -> Self {
        Self {
            portfolio: row.portfolio,
            period: row.period,
            as_of: row.as_of.to_string(),
            currency: row.base_currency,
            nav: row.nav,
            twr: row.twr,
            xirr: row.xirr,
            volatility: row.volatility,
            max_drawdown: row.max_drawdown,
        }
    }
}

/// The last year, and everything since the first transaction.
const AT_A_GLANCE: [&str; 2] = ["1y", "max"];

/// What the figures are, beside the day that they are of.
const HEADERS: [&str; 7] = [
    "portfolio",
    "period",
    "net asset value",
    "TWR",
    "XIRR p.a.",
    "volatility",
    "drawdown",
];

/// Prints what the last refresh computed, for every period.
pub(crate) async fn show(store: &Store, json: bool) -> Result<(), Error> {
    let rows = rows(store).await?;
    if json {
        output::json(&rows);
        return Ok(());
    }
    let cells = |row: &Row| [&[row.as_of.clone()][..], &cells(row)].concat();
    let headers = [&["as of"][..], &HEADERS].concat();
    let cells = rows.iter().map(cells).collect();
    output::table(&headers, cells, "nothing has been computed yet");
    Ok(())
}

/// Prints what the last refresh computed as of one day, for two periods, narrow enough for every screen.
pub(crate) async fn show_at_a_glance(store: &Store) -> Result<(), Error> {
    let mut rows = rows(store).await?;
    rows.retain(|row| AT_A_GLANCE.contains(&row.period.as_str()));
    let cells = rows.iter().map(cells).collect();
    output::table(&HEADERS, cells, "nothing has been computed yet");
    Ok(())
}

async fn rows(store: &Store) -> Result<Vec<Row>, Error> {
    let rows = portfolio::analytics::summary(store, None).await?;
    Ok(rows.into_iter().map(Row::from).collect())
}

fn cells(row: &Row) -> Vec<String> {
    // For people to the currency's smallest unit; JSON has it exactly.
    let nav = row
        .nav
        .map(|nav| format!("{} {}", row.currency.round(nav), row.currency));
    let mut cells = vec![
        row.portfolio.clone(),
        row.period.clone(),
        nav.unwrap_or_default(),
    ];
    cells.extend([row.twr, row.xirr, row.volatility, row.max_drawdown].map(percent));
    cells
}

/// A share in per cent; empty when it is not defined.
pub(crate) fn percent(share: Option<f64>) -> String {
    share
        .map(|share| format!("{:.2} %", share * 100.0))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_is_not_defined_is_left_open() {
        assert_eq!(percent(None), "");
        assert_eq!(percent(Some(-0.12345)), "-12.35 %");
    }
}
