//! The finance tasks of the analytics queues. What they compute is in `portfolio`.

mod refresh;

use std::path::PathBuf;

use tasks::App;
use worker::Registry;

pub use refresh::RefreshPortfolioAnalytics;

/// All tasks of this worker, on the application in this data folder.
pub fn registry(data: impl Into<PathBuf>) -> Registry {
    Registry::new()
        .state(App::new(data))
        .task::<RefreshPortfolioAnalytics>()
}
