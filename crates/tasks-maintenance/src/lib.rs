//! The tasks of the maintenance, monitoring and default queues.

mod artefacts;
mod cleanup_old_data;
mod cleanup_old_logs;
mod cleanup_temp_files;
mod debug_task;
mod health;
pub mod logs;
mod process_data;
mod trials;
mod update_analytics;
mod weekly;

use tasks::{App, RegisterFinance};
use worker::Registry;

pub use cleanup_old_data::CleanupOldData;
pub use cleanup_old_logs::CleanupOldLogs;
pub use cleanup_temp_files::CleanupTempFiles;
pub use debug_task::DebugTask;
pub use health::{Check, CheckStatus, HealthCheck, HealthReport};
pub use process_data::ProcessData;
pub use trials::{TestFailure, TestProgress, TestRetry, TestSleep, TestTask};
pub use update_analytics::UpdateAnalytics;
pub use weekly::{MaintenanceData, WeeklyPortfolioMaintenance};

/// Every finance task, on this application: low and high priority mix the tasks of both crates, and a queue belongs to a worker
/// that has all of its tasks.
pub fn registry(app: App) -> Registry {
    tasks_analytics::add_to(Registry::new().state(app))
        .finance::<HealthCheck>()
        .finance_blocking::<CleanupOldLogs>()
        .finance_blocking::<CleanupTempFiles>()
        .finance::<CleanupOldData>()
        .finance::<UpdateAnalytics>()
        .finance::<ProcessData>()
        .finance::<DebugTask>()
        .finance::<WeeklyPortfolioMaintenance>()
        .finance::<TestTask>()
        .finance::<TestRetry>()
        .finance::<TestProgress>()
        .finance::<TestFailure>()
        .finance::<TestSleep>()
}
