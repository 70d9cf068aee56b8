//! `celeriac finance calculate-performance` and `snapshot`: computed at once, without a worker.

use jiff::civil::Date;
use portfolio::analytics::{
    Issue, NamedFigures, Performance, PerformanceRequest, Period, SnapshotRequest,
    create_snapshots, performance,
};
use portfolio::store::Store;
use service::Exit;

use super::bar;
use crate::context::Context;
use crate::error::Error;
use crate::output;
use crate::summary::percent;

/// Over which range figures are asked.
#[derive(Debug, clap::Args)]
pub(crate) struct PerformanceArgs {
    /// Whose portfolios
    #[arg(long, short, value_name = "ID")]
    user: i64,
    /// How many days back
    #[arg(long, short, value_name = "DAYS", default_value_t = 30,
        value_parser = clap::value_parser!(i64).range(1..=36_500))]
    days: i64,
    /// Only this portfolio
    #[arg(long, value_name = "ID")]
    portfolio: Option<i64>,
    /// A named period instead, such as ytd or 1y; may be given several times
    #[arg(long = "period", value_name = "PERIOD", value_parser = period)]
    periods: Vec<Period>,
    /// The opening day; its value is where the range starts
    #[arg(long, value_name = "DATE")]
    start: Option<Date>,
    /// The last day; the last completed session unless given
    #[arg(long, value_name = "DATE")]
    end: Option<Date>,
    /// The symbol to compare with
    #[arg(long, value_name = "SYMBOL")]
    benchmark: Option<String>,
}

/// Which snapshots are kept.
#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotArgs {
    /// Only this user's portfolios
    #[arg(long, short, value_name = "ID")]
    user: Option<i64>,
    /// Only this portfolio
    #[arg(long, value_name = "ID")]
    portfolio: Option<i64>,
    /// The day; the session that closed last unless given
    #[arg(long, value_name = "DATE")]
    date: Option<Date>,
    /// Write again what has not changed
    #[arg(long)]
    force: bool,
}

fn period(text: &str) -> Result<Period, String> {
    let known = || Period::ALL.map(Period::as_str).join(", ");
    Period::parse(text).ok_or_else(|| format!("must be one of {}", known()))
}

/// Computes figures and prints them.
pub(super) async fn calculate(
    store: &Store,
    args: PerformanceArgs,
    context: &Context,
) -> Result<Exit, Error> {
    let request = PerformanceRequest {
        portfolio_id: args.portfolio,
        days_back: args.days,
        benchmark: args.benchmark,
        periods: (!args.periods.is_empty()).then_some(args.periods),
        start: args.start,
        end: args.end,
        ..PerformanceRequest::new(args.user)
    };
    let envelope = performance(store, &request, &mut bar()).await?;
    if context.json {
        output::json(&envelope);
    } else {
        let data = &envelope.data;
        let named = data.portfolios.iter();
        let named = named.map(|found| (found.name.as_str(), &found.performance));
        let all = named.chain(data.combined.iter().map(|joined| ("all", joined)));
        let rows = all
            .flat_map(|(name, found)| found.periods.iter().map(move |one| cells(name, found, one)));
        output::table(&HEADERS, rows.collect(), "there is nothing to compute");
    }
    Ok(told(&envelope.errors))
}

const HEADERS: [&str; 11] = [
    "portfolio",
    "period",
    "from",
    "to",
    "net asset value",
    "TWR",
    "XIRR p.a.",
    "drawdown",
    "price",
    "dividends",
    "currency",
];

fn cells(name: &str, found: &Performance, one: &NamedFigures) -> Vec<String> {
    let (figures, currency) = (&one.figures, found.base_currency);
    let stats = figures.stats.as_ref();
    let drawdown = stats.and_then(|stats| Some(stats.max_drawdown.as_ref()?.depth));
    let gains = one.gains.holdings;
    let gains = [gains.price, gains.dividends, gains.currency];
    let mut cells = vec![
        name.to_owned(),
        one.period.clone(),
        figures.from.to_string(),
        figures.to.to_string(),
        format!("{} {currency}", currency.round(figures.nav_end)),
    ];
    cells.extend([figures.twr, figures.mwr.rate, drawdown].map(percent));
    cells.extend(gains.map(|gain| currency.round(gain).to_string()));
    cells
}

/// Keeps snapshots and prints what was done.
pub(super) async fn snapshot(
    store: &Store,
    args: SnapshotArgs,
    context: &Context,
) -> Result<Exit, Error> {
    let request = SnapshotRequest {
        user_id: args.user,
        portfolio_id: args.portfolio,
        date: args.date,
        force: args.force,
        ..SnapshotRequest::default()
    };
    let envelope = create_snapshots(store, &request, &mut bar(), &|| false).await?;
    if context.json {
        output::json(&envelope);
        return Ok(told(&[]));
    }
    let data = &envelope.data;
    let day = data
        .date
        .map_or_else(|| "no day".to_owned(), |date| date.to_string());
    output::line(&format!(
        "{day}: {} created, {} updated, {} unchanged, {} failed",
        data.created, data.updated, data.unchanged, data.failed
    ));
    for (currency, nav) in &data.nav_total {
        output::line(&format!("{nav} {currency}"));
    }
    Ok(told(&envelope.errors))
}

/// Says what failed; the exit code follows.
fn told(errors: &[Issue]) -> Exit {
    for error in errors {
        let id = error
            .id
            .as_ref()
            .map_or_else(String::new, |id| format!(" {id}"));
        eprintln!("{}{id}: {}: {}", error.scope, error.code, error.message);
    }
    if errors.is_empty() {
        Exit::Ok
    } else {
        Exit::Failure
    }
}
