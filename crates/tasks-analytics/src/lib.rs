//! The finance tasks of the analytics queues, and those that make files of portfolios. What they compute is in `portfolio`, what
//! they fetch in `market-data`, what they write in `reports`.

mod dashboard_cache;
mod files;
mod market;
mod performance;
mod performance_analysis;
mod reconciliation;
mod refresh;
mod snapshot;

use tasks::{App, RegisterFinance};
use worker::Registry;

pub use dashboard_cache::{RefreshDashboardCache, WarmDashboardCache};
pub use files::{
    ExportDashboardData, ExportedData, Filed, Filing, GeneratePortfolioReport, GeneratedReports,
    Label,
};
pub use market::{FetchAssetInfo, FetchMarketData, SyncMarketData, UpdatePortfolioPrices};
pub use performance::CalculatePortfolioPerformance;
pub use performance_analysis::{PerformanceAnalysis, Slow, TaskSummary, slowest, summed_up};
pub use reconciliation::{
    ReconcileAccount, ReconcileAllAccounts, ReconciliationSummary, SummariseReconciliations,
};
pub use refresh::RefreshPortfolioAnalytics;
pub use snapshot::CreatePortfolioSnapshot;

/// All tasks of this worker, on this application.
pub fn registry(app: App) -> Registry {
    add_to(Registry::new().state(app))
}

/// The same in the registry of a worker that has more.
#[must_use]
pub fn add_to(registry: Registry) -> Registry {
    registry
        .finance::<RefreshPortfolioAnalytics>()
        .finance::<RefreshDashboardCache>()
        .finance::<WarmDashboardCache>()
        .finance::<PerformanceAnalysis>()
        .finance_blocking::<GeneratePortfolioReport>()
        .finance_blocking::<ExportDashboardData>()
        .finance::<FetchMarketData>()
        .finance::<UpdatePortfolioPrices>()
        .finance::<FetchAssetInfo>()
        .finance::<SyncMarketData>()
        .finance::<CalculatePortfolioPerformance>()
        .finance::<CreatePortfolioSnapshot>()
        .finance::<ReconcileAccount>()
        .finance::<ReconcileAllAccounts>()
        .finance::<SummariseReconciliations>()
}
