//! The tasks of the queue `market_data`. Asking providers and writing what they answer is `market-data`'s affair.

mod fetch_asset_info;
mod fetch_market_data;
mod sync_market_data;
mod update_portfolio_prices;

use jiff::Timestamp;
use market_data::{Issue, Updater};
use tasks::Run;
use worker::Outcome;

pub use fetch_asset_info::FetchAssetInfo;
pub use fetch_market_data::FetchMarketData;
pub use sync_market_data::SyncMarketData;
pub use update_portfolio_prices::UpdatePortfolioPrices;

/// An update with the application's providers and database.
async fn updater<'c>(run: &Run<'c>) -> Result<Updater<'c>, Outcome> {
    let store = run.store().await?;
    Ok(Updater::new(store, run.app().providers(), Timestamp::now()))
}

/// The symbols of what failed.
fn symbols(issues: &[Issue]) -> Vec<String> {
    issues.iter().map(|issue| issue.symbol.clone()).collect()
}
