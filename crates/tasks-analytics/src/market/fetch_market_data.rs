//! `fetch_market_data`: daily bars and corporate actions of named symbols.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use market_data::{FetchReport, FetchRequest, SymbolReport, Window};
use serde::{Deserialize, Serialize};
use tasks::catalogue::{FETCH_MARKET_DATA, Spec};
use tasks::{
    Answer, FinanceTask, Reporter, Run, failure, items_failed, items_odd, provider_failed,
};
use worker::Outcome;

use super::{symbols, updater};

/// Fetches prices of symbols.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FetchMarketData {
    /// Tickers.
    pub symbols: Vec<String>,
    /// The first day; `days` before the last one unless given.
    pub start: Option<Date>,
    /// The last day; today unless given.
    pub end: Option<Date>,
    /// Used when `start` is absent.
    pub days: i64,
    /// Only this provider.
    pub provider: Option<String>,
    /// Ask again for what is known.
    pub force: bool,
}

/// The fields of its result.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FetchData {
    /// What was done, by symbol.
    pub symbols: BTreeMap<String, SymbolReport>,
    /// New prices.
    pub rows_inserted: u64,
    /// Corrected prices.
    pub rows_updated: u64,
    /// Prices that were there already.
    pub rows_unchanged: u64,
    /// Splits and dividends that were new or corrected.
    pub actions: u64,
    /// Symbols that failed.
    pub failed: Vec<String>,
}

impl FinanceTask for FetchMarketData {
    const SPEC: Spec = FETCH_MARKET_DATA;
    type Data = FetchData;

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<FetchData>, Outcome> {
        let updater = updater(run).await?;
        let (ctx, request) = (run.ctx(), self.request());
        let stop = || ctx.is_cancelled();
        let report = Reporter::around(ctx, async |reporter| {
            let mut progress = |progress| reporter.report(progress);
            updater.fetch(&request, &mut progress, &stop).await
        });
        let report = report.await.map_err(failure)?;
        if report.symbols.is_empty()
            && let Some(failed) = provider_failed(run, &report.errors)
        {
            return Err(failed);
        }
        items_failed(run, &report.errors);
        items_odd(run, &report.warnings);
        Ok(Answer::Done(data(report)))
    }
}

impl FetchMarketData {
    fn request(self) -> FetchRequest {
        let today = || Timestamp::now().to_zoned(TimeZone::UTC).date();
        let to = self.end.unwrap_or_else(today);
        let from = self
            .start
            .unwrap_or_else(|| to.saturating_sub(self.days.days()));
        FetchRequest {
            symbols: self.symbols,
            window: Window { from, to },
            provider: self.provider,
            force: self.force,
        }
    }
}

fn data(report: FetchReport) -> FetchData {
    FetchData {
        rows_inserted: report.total(|symbol| symbol.rows_inserted),
        rows_updated: report.total(|symbol| symbol.rows_updated),
        rows_unchanged: report.total(|symbol| symbol.rows_unchanged),
        actions: report.total(|symbol| symbol.actions),
        failed: symbols(&report.errors),
        symbols: report.symbols,
    }
}
