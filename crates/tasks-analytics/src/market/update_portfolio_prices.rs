//! `update_portfolio_prices`: quotes of what active portfolios hold.

use market_data::{Hours, QuoteReport, QuoteRequest, Quotes, Session};
use serde::{Deserialize, Serialize};
use tasks::catalogue::{Spec, UPDATE_PORTFOLIO_PRICES};
use tasks::{Answer, FinanceTask, Reporter, Run, Skipped, failure, items_failed, provider_failed};
use worker::Outcome;

use super::{symbols, updater};

/// Updates quotes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UpdatePortfolioPrices {
    /// Only what these portfolios hold.
    pub portfolio_ids: Option<Vec<i64>>,
    /// Only these assets, held or not.
    pub symbols: Option<Vec<String>>,
    /// Only around regular hours.
    pub market_hours_only: bool,
    /// Only between six o'clock and four hours after the close.
    pub extended_hours: bool,
}

/// The fields of its result.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PricesData {
    /// How many assets there were.
    pub assets: usize,
    /// New prices.
    pub updated: usize,
    /// Fresh quotes, and those that are the newest still.
    pub unchanged: usize,
    /// Assets that failed.
    pub failed: Vec<String>,
    /// Portfolios that hold one with a new price.
    pub portfolios_touched: usize,
    /// Where trading stands.
    pub session: Session,
}

impl FinanceTask for UpdatePortfolioPrices {
    const SPEC: Spec = UPDATE_PORTFOLIO_PRICES;
    type Data = PricesData;

    /// Two schedules fire at full hours; one of the runs lets the other do the work.
    fn lock(&self) -> Option<String> {
        Some(Self::SPEC.name.to_owned())
    }

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<PricesData>, Outcome> {
        let updater = updater(run).await?;
        let (ctx, request) = (run.ctx(), self.request());
        let stop = || ctx.is_cancelled();
        let quotes = Reporter::around(ctx, async |reporter| {
            let mut progress = |progress| reporter.report(progress);
            updater.quotes(&request, &mut progress, &stop).await
        });
        let report = match quotes.await.map_err(failure)? {
            Quotes::Done(report) => report,
            Quotes::Closed { next_open } => {
                return Ok(Answer::Skipped(Skipped {
                    next_open,
                    ..Skipped::because("market_closed")
                }));
            }
        };
        if report.assets == report.errors.len()
            && let Some(failed) = provider_failed(run, &report.errors)
        {
            return Err(failed);
        }
        items_failed(run, &report.errors);
        Ok(answer(report))
    }
}

impl UpdatePortfolioPrices {
    fn request(self) -> QuoteRequest {
        // With both, the wider hours count.
        let hours = match (self.extended_hours, self.market_hours_only) {
            (true, _) => Some(Hours::Extended),
            (false, true) => Some(Hours::Market),
            (false, false) => None,
        };
        QuoteRequest {
            portfolio_ids: self.portfolio_ids,
            symbols: self.symbols,
            hours,
        }
    }
}

fn answer(report: QuoteReport) -> Answer<PricesData> {
    let data = PricesData {
        assets: report.assets,
        updated: report.updated,
        unchanged: report.unchanged,
        failed: symbols(&report.errors),
        portfolios_touched: report.portfolios_touched,
        session: report.session,
    };
    if data.assets == 0 {
        Answer::Empty(data)
    } else {
        Answer::Done(data)
    }
}
