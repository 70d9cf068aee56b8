//! `app.tasks.reconciliation.sync_market_data`: every active asset and all exchange rates brought up to date.

use market_data::{SyncReport, SyncRequest};
use serde::{Deserialize, Serialize};
use tasks::catalogue::{SYNC_MARKET_DATA, Spec};
use tasks::{
    Answer, FinanceTask, Reporter, Run, failure, items_failed, items_odd, provider_failed,
};
use worker::Outcome;

use super::{symbols, updater};

/// Brings prices, actions and rates up to date.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SyncMarketData {
    /// Only these assets.
    pub symbols: Option<Vec<String>>,
    /// Whole histories.
    pub full: bool,
    /// Exchange rates too.
    pub include_fx: bool,
}

/// The fields of its result.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SyncData {
    /// How many assets there were.
    pub assets: usize,
    /// Assets whose provider has answered.
    pub fetched: usize,
    /// Assets that have every finished session.
    pub up_to_date: usize,
    /// Assets that failed; `fx` stands for the exchange rates.
    pub failed: Vec<String>,
    /// New prices.
    pub rows_inserted: u64,
    /// Corrected prices.
    pub rows_updated: u64,
    /// Exchange rates that were new or changed.
    pub fx_rows: u64,
}

impl FinanceTask for SyncMarketData {
    const SPEC: Spec = SYNC_MARKET_DATA;
    type Data = SyncData;

    fn lock(&self) -> Option<String> {
        Some("sync_market_data".to_owned())
    }

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<SyncData>, Outcome> {
        let updater = updater(run).await?;
        let ctx = run.ctx();
        let request = SyncRequest {
            symbols: self.symbols,
            full: self.full,
            include_fx: self.include_fx,
        };
        let stop = || ctx.is_cancelled();
        let report = Reporter::around(ctx, async |reporter| {
            let mut progress = |progress| reporter.report(progress);
            updater.sync(&request, &mut progress, &stop).await
        });
        let report = report.await.map_err(failure)?;
        let nothing_done = report.fetched.symbols.is_empty() && report.up_to_date == 0;
        if nothing_done
            && report.fx_rows == 0
            && let Some(failed) = provider_failed(run, &report.fetched.errors)
        {
            return Err(failed);
        }
        items_failed(run, &report.fetched.errors);
        items_odd(run, &report.fetched.warnings);
        Ok(answer(report))
    }
}

fn answer(report: SyncReport) -> Answer<SyncData> {
    let data = SyncData {
        assets: report.assets,
        fetched: report.fetched.symbols.len(),
        up_to_date: report.up_to_date,
        failed: symbols(&report.fetched.errors),
        rows_inserted: report.fetched.total(|symbol| symbol.rows_inserted),
        rows_updated: report.fetched.total(|symbol| symbol.rows_updated),
        fx_rows: report.fx_rows,
    };
    if data.assets == 0 && data.fx_rows == 0 {
        Answer::Empty(data)
    } else {
        Answer::Done(data)
    }
}
