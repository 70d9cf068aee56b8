//! The finance tasks of the analytics queues. What they compute is in `portfolio`.

mod refresh;

use tasks::{App, RegisterFinance};
use worker::Registry;

pub use refresh::RefreshPortfolioAnalytics;

/// All tasks of this worker, on this application.
pub fn registry(app: App) -> Registry {
    Registry::new()
        .state(app)
        .finance::<RefreshPortfolioAnalytics>()
}
