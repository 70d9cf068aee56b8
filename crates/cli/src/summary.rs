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

/// Prints what the last refresh computed, for every period.
pub(crate) async fn show(store: &Store, json: bool) -> Result<(), Error> {
    print(portfolio::analytics::summary(store, None).await?, json);
    Ok(())
}

/// Prints what the last refresh computed, for two periods.
pub(crate) async fn show_at_a_glance(store: &Store) -> Result<(), Error> {
    let mut rows = portfolio::analytics::summary(store, None).await?;
    rows.retain(|row| AT_A_GLANCE.contains(&row.period.as_str()));
    print(rows, false);
    Ok(())
}

fn print(rows: Vec<SummaryRow>, json: bool) {
    let rows: Vec<_> = rows.into_iter().map(Row::from).collect();
    if json {
        return output::json(&rows);
    }
    let headers = [
        "portfolio",
        "period",
        "as of",
        "net asset value",
        "TWR",
        "XIRR p.a.",
        "volatility",
        "drawdown",
    ];
    let cells = rows.into_iter().map(cells).collect();
    output::table(&headers, cells, "nothing has been computed yet");
}

fn cells(row: Row) -> Vec<String> {
    // For people to the currency's smallest unit; JSON has it exactly.
    let nav = row
        .nav
        .map(|nav| format!("{} {}", row.currency.round(nav), row.currency));
    let mut cells = vec![
        row.portfolio,
        row.period,
        row.as_of,
        nav.unwrap_or_default(),
    ];
    cells.extend([row.twr, row.xirr, row.volatility, row.max_drawdown].map(percent));
    cells
}

fn percent(share: Option<f64>) -> String {
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
