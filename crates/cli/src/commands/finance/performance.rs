//! `celeriac finance calculate-performance` and `snapshot`: computed at once, without a worker.

use jiff::civil::Date;
use portfolio::analytics::{
    Issue, NamedFigures, PerformanceData, PerformanceRequest, Period, SnapshotRequest,
    create_snapshots, performance,
};
use portfolio::money::Currency;
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
    #[arg(long, value_name = "DATE", value_parser = super::day)]
    start: Option<Date>,
    /// The last day; the last completed session unless given
    #[arg(long, value_name = "DATE", value_parser = super::day)]
    end: Option<Date>,
    /// The symbol to compare with
    #[arg(long, value_name = "SYMBOL")]
    benchmark: Option<String>,
    /// Show too how figures over this many days of the calendar have rolled, at every year's end; may be given several times
    #[arg(long = "rolling", value_name = "DAYS", value_parser = clap::value_parser!(u16).range(2..=10_000))]
    rolling: Vec<u16>,
    /// Show too what each holding gained: by its price, dividends and currency
    #[arg(long)]
    holdings: bool,
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
    #[arg(long, value_name = "DATE", value_parser = super::day)]
    date: Option<Date>,
    /// Write again what has not changed
    #[arg(long)]
    force: bool,
}

/// A named period as people write it.
pub(super) fn period(text: &str) -> Result<Period, String> {
    let known = || Period::ALL.map(Period::as_str).join(", ");
    Period::parse(text).ok_or_else(|| format!("must be one of {}", known()))
}

/// Computes figures and prints them.
pub(super) async fn calculate(
    store: &Store,
    args: PerformanceArgs,
    context: &Context,
) -> Result<Exit, Error> {
    let mut request = PerformanceRequest {
        portfolio_id: args.portfolio,
        days_back: args.days,
        benchmark: args.benchmark,
        periods: (!args.periods.is_empty()).then_some(args.periods),
        start: args.start,
        end: args.end,
        ..PerformanceRequest::new(args.user)
    };
    let windows = args.rolling.into_iter().map(usize::from);
    let windows: Vec<usize> = windows.collect();
    if !windows.is_empty() {
        request.rolling.clone_from(&windows);
    }
    let envelope = performance(store, &request, &mut bar()).await?;
    if context.json {
        output::json(&envelope);
    } else {
        let found = Shown::all(&envelope.data);
        let rows = found.iter().map(Shown::cells).collect();
        output::table(&HEADERS, rows, "there is nothing to compute");
        if args.holdings {
            let rows = found.iter().flat_map(Shown::holdings).collect();
            output::table(&HOLDINGS, rows, "no holding has gained or lost");
        }
        if !windows.is_empty() {
            let rows = found.iter().flat_map(Shown::rolling).collect();
            output::table(&ROLLING, rows, "no window is full yet");
        }
    }
    told(&envelope.warnings);
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

const HOLDINGS: [&str; 7] = [
    "portfolio",
    "period",
    "holding",
    "price",
    "dividends",
    "currency",
    "sum",
];

const ROLLING: [&str; 8] = [
    "portfolio",
    "period",
    "days",
    "until",
    "return",
    "volatility",
    "Sharpe",
    "drawdown",
];

/// The figures of one period under the name that people know.
struct Shown<'e> {
    portfolio: &'e str,
    currency: Currency,
    one: &'e NamedFigures,
}

impl<'e> Shown<'e> {
    fn all(data: &'e PerformanceData) -> Vec<Shown<'e>> {
        let named = data.portfolios.iter();
        let named = named.map(|found| (found.name.as_str(), &found.performance));
        let all = named.chain(data.combined.iter().map(|joined| ("all", joined)));
        let periods = all.flat_map(|(portfolio, found)| {
            let currency = found.base_currency;
            let shown = move |one| Shown {
                portfolio,
                currency,
                one,
            };
            found.periods.iter().map(shown)
        });
        periods.collect()
    }

    fn start(&self) -> Vec<String> {
        vec![self.portfolio.to_owned(), self.one.period.clone()]
    }

    fn cells(&self) -> Vec<String> {
        let (figures, currency) = (&self.one.figures, self.currency);
        let stats = figures.stats.as_ref();
        let drawdown = stats.and_then(|stats| Some(stats.max_drawdown.as_ref()?.depth));
        let gains = self.one.gains.holdings;
        let mut cells = self.start();
        cells.extend([
            figures.from.to_string(),
            figures.to.to_string(),
            format!("{} {currency}", currency.round(figures.nav_end)),
        ]);
        cells.extend([figures.twr, figures.mwr.rate, drawdown].map(percent));
        let gains = [gains.price, gains.dividends, gains.currency];
        cells.extend(gains.map(|gain| currency.round(gain).to_string()));
        cells
    }

    /// A row for each holding: where its gain came from.
    fn holdings(&self) -> impl Iterator<Item = Vec<String>> {
        self.one.gains.by_holding.iter().map(|(symbol, split)| {
            let mut cells = self.start();
            cells.push(symbol.clone());
            let gains = [split.price, split.dividends, split.currency, split.total];
            cells.extend(gains.map(|gain| self.currency.round(gain).to_string()));
            cells
        })
    }

    /// A row for each window and year's end.
    fn rolling(&self) -> impl Iterator<Item = Vec<String>> {
        let windows = self.one.figures.rolling.iter();
        let points = windows.flat_map(|(days, summary)| {
            let points = summary.year_ends.iter();
            points.map(move |point| (days, point))
        });
        points.map(|(days, point)| {
            let mut cells = self.start();
            let sharpe = point.sharpe.map(|ratio| format!("{ratio:.2}"));
            cells.extend([
                days.to_string(),
                point.date.to_string(),
                percent(Some(point.total_return)),
                percent(point.volatility),
                sharpe.unwrap_or_default(),
                percent(Some(point.max_drawdown)),
            ]);
            cells
        })
    }
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
    let totals = data.nav_total.iter();
    let totals = totals.map(|(currency, nav)| vec![format!("{nav} {currency}")]);
    output::table(
        &["net asset value"],
        totals.collect(),
        "no portfolio has a value",
    );
    Ok(told(&envelope.errors))
}

/// Says what is odd, or what failed; the exit code follows when it failed.
pub(super) fn told(errors: &[Issue]) -> Exit {
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
