//! `celeriac finance fetch-market-data` and `update-prices`: market data at once, without a worker.

use std::path::Path;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use market_data::{
    FetchReport, FetchRequest, Issue, Providers, QuoteReport, QuoteRequest, Quotes, SymbolReport,
    Updater, Window, is_symbol,
};
use portfolio::store::Store;
use serde_json::{Value, json};
use service::Exit;

use super::bar;
use crate::context::Context;
use crate::error::Error;
use crate::output;

/// Which prices.
#[derive(Debug, clap::Args)]
pub(crate) struct FetchArgs {
    /// A symbol; may be given several times. An unknown one becomes an asset when a provider knows its currency
    #[arg(long = "symbol", short, value_name = "SYMBOL", required = true, value_parser = symbol)]
    symbols: Vec<String>,
    /// The first day
    #[arg(long, value_name = "DATE", conflicts_with = "days", value_parser = super::day)]
    start: Option<Date>,
    /// The last day; today unless given
    #[arg(long, value_name = "DATE", value_parser = super::day)]
    end: Option<Date>,
    /// Days before the last one
    #[arg(long, short, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(i64).range(1..=36_500))]
    days: i64,
    /// Only this provider
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Ask again for what is known
    #[arg(long)]
    force: bool,
}

/// Whose quotes.
#[derive(Debug, clap::Args)]
pub(crate) struct QuoteArgs {
    /// Only what this portfolio holds; may be given several times
    #[arg(long = "portfolio", value_name = "ID")]
    portfolios: Vec<i64>,
    /// Only this symbol, held or not; may be given several times
    #[arg(long = "symbol", short, value_name = "SYMBOL", value_parser = symbol)]
    symbols: Vec<String>,
}

fn symbol(text: &str) -> Result<String, String> {
    let symbol = text.trim().to_uppercase();
    if is_symbol(&symbol) {
        Ok(symbol)
    } else {
        Err("must be a symbol such as AAPL or BRK.B".to_owned())
    }
}

/// Fetches prices and shows what was done for each symbol.
pub(super) async fn fetch(
    store: &Store,
    args: FetchArgs,
    context: &Context,
) -> Result<Exit, Error> {
    let request = args.request()?;
    let providers = providers(context)?;
    let updater = Updater::new(store, &providers, Timestamp::now());
    let report = updater.fetch(&request, &mut bar(), &|| false).await?;
    if context.json {
        output::json(&fetched(&report));
    } else {
        show_fetched(&report);
    }
    Ok(exit(&report.errors))
}

/// Updates quotes and shows how many are new.
pub(super) async fn quotes(
    store: &Store,
    args: QuoteArgs,
    context: &Context,
) -> Result<Exit, Error> {
    let given = |list: Vec<i64>| Some(list).filter(|list| !list.is_empty());
    let request = QuoteRequest {
        portfolio_ids: given(args.portfolios),
        symbols: Some(args.symbols).filter(|symbols| !symbols.is_empty()),
        hours: None,
    };
    let providers = providers(context)?;
    let updater = Updater::new(store, &providers, Timestamp::now());
    let Quotes::Done(report) = updater.quotes(&request, &mut bar(), &|| false).await? else {
        // Only a request for certain hours is put off.
        return Ok(Exit::Ok);
    };
    if context.json {
        output::json(&quoted(&report));
    } else {
        show_quoted(&report);
    }
    Ok(exit(&report.errors))
}

impl FetchArgs {
    fn request(self) -> Result<FetchRequest, Error> {
        let today = || Timestamp::now().to_zoned(TimeZone::UTC).date();
        let to = self.end.unwrap_or_else(today);
        let from = self
            .start
            .unwrap_or_else(|| to.saturating_sub(self.days.days()));
        if from > to {
            return Err(Error::Usage(format!("--start {from} is after --end {to}")));
        }
        let mut symbols = Vec::new();
        for symbol in self.symbols {
            if !symbols.contains(&symbol) {
                symbols.push(symbol);
            }
        }
        Ok(FetchRequest {
            symbols,
            window: Window { from, to },
            provider: self.provider,
            force: self.force,
        })
    }
}

fn providers(context: &Context) -> Result<Providers, Error> {
    let settings = json!(context.settings.section("celeriac_market_data_"));
    let data = Path::new(context.settings.data_folder());
    Ok(Providers::from_settings(settings, data)?)
}

fn exit(errors: &[Issue]) -> Exit {
    if errors.is_empty() {
        Exit::Ok
    } else {
        Exit::Failure
    }
}

fn issues(issues: &[Issue]) -> Vec<Value> {
    let issue = |issue: &Issue| json!({"symbol": issue.symbol, "code": issue.code, "message": issue.message});
    issues.iter().map(issue).collect()
}

fn fetched(report: &FetchReport) -> Value {
    json!({
        "symbols": report.symbols,
        "warnings": issues(&report.warnings),
        "errors": issues(&report.errors),
    })
}

fn show_fetched(report: &FetchReport) {
    let row = |(symbol, done): (&String, &SymbolReport)| {
        vec![
            symbol.clone(),
            done.provider.clone(),
            done.rows_inserted.to_string(),
            done.rows_updated.to_string(),
            if done.not_modified {
                "all".to_owned()
            } else {
                done.rows_unchanged.to_string()
            },
            done.actions.to_string(),
        ]
    };
    let rows = report.symbols.iter().map(row).collect();
    let headers = [
        "symbol",
        "provider",
        "new",
        "corrected",
        "unchanged",
        "actions",
    ];
    output::table(&headers, rows, "nothing was fetched");
    show_issues("note", &report.warnings);
    show_issues("error", &report.errors);
}

fn quoted(report: &QuoteReport) -> Value {
    json!({
        "assets": report.assets,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "portfolios_touched": report.portfolios_touched,
        "session": report.session,
        "errors": issues(&report.errors),
    })
}

fn show_quoted(report: &QuoteReport) {
    let QuoteReport {
        assets,
        updated,
        unchanged,
        portfolios_touched,
        ..
    } = report;
    output::line(&format!(
        "{assets} assets: {updated} with a new price, {unchanged} unchanged, {} failed; {portfolios_touched} portfolios touched",
        report.errors.len()
    ));
    show_issues("error", &report.errors);
}

fn show_issues(word: &str, issues: &[Issue]) {
    for issue in issues {
        eprintln!("{word}: {}: {}", issue.symbol, issue.message);
    }
}
