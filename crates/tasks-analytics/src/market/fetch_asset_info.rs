//! `fetch_asset_info`: facts of one symbol.

use jiff::SignedDuration;
use market_data::{FactsReport, Issue};
use serde::{Deserialize, Serialize};
use tasks::catalogue::{FETCH_ASSET_INFO, Spec};
use tasks::{Answer, FinanceTask, Run, failure, named, provider_failed};
use worker::Outcome;

use super::updater;

/// Fetches what is known about one symbol.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FetchAssetInfo {
    /// The ticker.
    pub symbol: String,
    /// Younger facts are taken from the store.
    pub max_age_hours: i64,
}

impl FinanceTask for FetchAssetInfo {
    const SPEC: Spec = FETCH_ASSET_INFO;
    type Data = FactsReport;

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<FactsReport>, Outcome> {
        let updater = updater(run).await?;
        // More hours than a duration holds mean "for ever".
        let max_age = SignedDuration::from_secs(self.max_age_hours.saturating_mul(3600));
        match updater
            .facts(&self.symbol, max_age)
            .await
            .map_err(failure)?
        {
            Ok(facts) => Ok(Answer::Done(facts)),
            Err(error) => {
                let text = error.to_string();
                let failed = provider_failed(run, &[Issue::failed(&self.symbol, error)]);
                Err(failed.unwrap_or_else(|| named("NotFound", text)))
            }
        }
    }
}
