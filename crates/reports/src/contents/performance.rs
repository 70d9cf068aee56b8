//! Returns and risk of the period.

use std::collections::BTreeMap;

use portfolio::metrics::Stats;
use portfolio::returns::CASH;

use super::gains::date;
use super::holdings::section;
use crate::document::{Block, Table};
use crate::format::{NOTHING, money, percent, ratio, short_percent};
use crate::subject::Subject;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// From the opening value to the closing value, and what that makes in per cent.
pub(super) fn returns(subject: &Subject<'_>) -> Vec<Block> {
    let (period, base) = (&subject.figures, subject.closing.base);
    let amounts = [
        ("Opening value", period.nav_start),
        ("Money in", period.inflows),
        ("Money out", -period.outflows),
        ("Closing value", period.nav_end),
        ("Dividends", period.totals.dividends),
        ("Interest", period.totals.interest),
        ("Fees outside trades", -period.totals.fees),
        ("Taxes outside trades", -period.totals.taxes),
        ("Realised gain", period.realised_gain_base),
    ];
    let stats = period.stats.as_ref();
    let shares = [
        ("Time-weighted return", period.twr),
        ("A year (CAGR)", stats.and_then(|stats| stats.cagr)),
        ("Money-weighted return, a year", period.mwr.rate),
        ("Money-weighted return, period", period.mwr.period),
        ("Modified Dietz return", period.modified_dietz),
    ];
    let mut table = Table::new(&["Figure"], &[base.as_str()]);
    table.rows = amounts
        .iter()
        .map(|(label, value)| vec![(*label).to_owned(), money(*value, base)])
        .collect();
    let mut blocks = section("Result of the period", Ok(table));
    blocks.extend(pairs(
        "Returns",
        &shares.map(|(label, value)| (label, percent(value))),
    ));
    blocks
}

pub(super) fn risk(subject: &Subject<'_>) -> Vec<Block> {
    let Some(stats) = &subject.figures.stats else {
        return section(
            "Risk",
            Err("Figures of risk need returns, and there are none."),
        );
    };
    let mut blocks = vec![Block::Heading("Risk".to_owned())];
    blocks.extend(pairs("Figure", &risk_figures(stats)));
    blocks.extend(versus(stats));
    blocks
}

fn risk_figures(stats: &Stats) -> Vec<(&'static str, String)> {
    let day = |day: Option<&portfolio::metrics::DatedReturn>| {
        day.map_or_else(
            || NOTHING.to_owned(),
            |day| format!("{} ({})", percent(Some(day.value)), day.date),
        )
    };
    let deepest = stats.max_drawdown.as_ref().map_or_else(
        || NOTHING.to_owned(),
        |drawdown| {
            let (peak, trough) = (date(drawdown.peak), date(drawdown.trough));
            format!("{} ({peak} to {trough})", percent(Some(drawdown.depth)))
        },
    );
    vec![
        ("Volatility, annual", percent(stats.volatility)),
        (
            "Downside deviation, annual",
            percent(stats.downside_deviation),
        ),
        ("Sharpe ratio", ratio(stats.sharpe)),
        ("Sortino ratio", ratio(stats.sortino)),
        ("Calmar ratio", ratio(stats.calmar)),
        ("Deepest drawdown", deepest),
        ("Value at risk, one day", percent(stats.var)),
        ("Expected shortfall, one day", percent(stats.cvar)),
        ("Best day", day(stats.best.as_ref())),
        ("Worst day", day(stats.worst.as_ref())),
        ("Days with a gain", percent(stats.positive_ratio)),
    ]
}

/// Beside the benchmark, where there is one.
fn versus(stats: &Stats) -> Vec<Block> {
    let Some(relative) = &stats.benchmark else {
        return Vec::new();
    };
    let figures = [
        (
            "Return of the benchmark",
            percent(relative.benchmark_total_return),
        ),
        ("Beta", ratio(relative.beta)),
        ("Alpha, a year", percent(relative.alpha)),
        ("Correlation", ratio(relative.correlation)),
        ("Tracking error, a year", percent(relative.tracking_error)),
        ("Information ratio", ratio(relative.information_ratio)),
    ];
    pairs("Beside the benchmark", &figures)
}

/// Years down, months across.
pub(super) fn monthly(subject: &Subject<'_>) -> Vec<Block> {
    let period = &subject.figures;
    if period.monthly.is_empty() {
        return Vec::new();
    }
    let mut years: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (month, value) in &period.monthly {
        let Some((year, number)) = month.split_once('-') else {
            continue;
        };
        let cells = years
            .entry(year)
            .or_insert_with(|| vec![String::new(); MONTHS.len()]);
        let index = number.parse::<usize>().unwrap_or_default().wrapping_sub(1);
        if let Some(cell) = cells.get_mut(index) {
            *cell = short_percent(*value);
        }
    }
    let numbers: Vec<&str> = MONTHS.into_iter().chain(["Year"]).collect();
    let mut table = Table::new(&["%"], &numbers);
    for (year, mut cells) in years {
        cells.insert(0, year.to_owned());
        let whole = period.yearly.get(year);
        cells.push(whole.copied().map_or_else(String::new, short_percent));
        table.rows.push(cells);
    }
    section("Returns by month", Ok(table))
}

/// What each asset added to the return.
pub(super) fn contributions(subject: &Subject<'_>) -> Vec<Block> {
    let Some(parts) = &subject.figures.contribution else {
        return Vec::new();
    };
    let mut parts: Vec<(&str, f64)> = parts
        .iter()
        .map(|(name, part)| (name.as_str(), *part))
        .collect();
    parts.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let mut table = Table::new(&["Symbol", "Name"], &["Contribution"]);
    for (symbol, part) in &parts {
        let name = if *symbol == CASH {
            "Interest, fees and currency on cash"
        } else {
            subject.asset_name(symbol)
        };
        table.rows.push(vec![
            (*symbol).to_owned(),
            name.to_owned(),
            percent(Some(*part)),
        ]);
    }
    let sum = parts.iter().map(|(_, part)| part).sum();
    table.total = Some(vec!["Total".to_owned(), String::new(), percent(Some(sum))]);
    section("Contributions to the return", Ok(table))
}

/// A table of two columns.
fn pairs(title: &str, rows: &[(&str, String)]) -> Vec<Block> {
    let mut table = Table::new(&[title], &[""]);
    table.rows = rows
        .iter()
        .map(|(label, value)| vec![(*label).to_owned(), value.clone()])
        .collect();
    vec![Block::Table(table)]
}
