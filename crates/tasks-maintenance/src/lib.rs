//! The tasks of the maintenance, monitoring and default queues.

mod artefacts;
mod backup_data;
mod cleanup_old_data;
mod cleanup_old_logs;
mod cleanup_temp_files;
mod debug_task;
mod generate_reports;
mod health;
pub mod logs;
mod notifier;
mod process_data;
mod process_user_action;
mod send_notification;
mod trials;
mod update_analytics;
mod weekly;

use std::error::Error;
use std::path::Path;

use market_data::Providers;
use serde_json::Value;
use tasks::{App, RegisterFinance};
use worker::Registry;

pub use backup_data::{BackedUp, BackupData};
pub use cleanup_old_data::CleanupOldData;
pub use cleanup_old_logs::CleanupOldLogs;
pub use cleanup_temp_files::CleanupTempFiles;
pub use debug_task::DebugTask;
pub use generate_reports::{GenerateReports, SystemReport, SystemReports};
pub use health::{Check, CheckStatus, HealthCheck, HealthReport};
pub use notifier::Notifier;
pub use process_data::ProcessData;
pub use process_user_action::{Followup, ProcessUserAction, Processed};
pub use send_notification::{SendNotification, Told};
pub use trials::{TestFailure, TestProgress, TestRetry, TestSleep, TestTask};
pub use update_analytics::UpdateAnalytics;
pub use weekly::{MaintenanceData, WeeklyPortfolioMaintenance};

/// How the settings of market data begin.
const MARKET_DATA: &str = "celeriac_market_data_";

/// Every finance task, on the application that an installation's settings describe; `values` are all of them by name.
///
/// # Errors
/// When providers or the ways to tell people are set wrong.
pub fn from_settings(
    data: &Path,
    database: String,
    values: &Value,
) -> Result<Registry, Box<dyn Error + Send + Sync>> {
    let app = App::new(data)
        .with_database(database)
        .with_settings(values)
        .with_providers(Providers::from_settings(
            section(values, MARKET_DATA),
            data,
        )?);
    Ok(registry(app, Notifier::from_settings(values)?))
}

/// The values whose names begin with this, without it.
fn section(values: &Value, prefix: &str) -> Value {
    let all = values.as_object().into_iter().flatten();
    all.filter_map(|(name, value)| Some((name.strip_prefix(prefix)?.to_owned(), value.clone())))
        .collect()
}

/// Every finance task, on this application and with these ways to tell people: low and high priority mix the tasks of both
/// crates, and a queue belongs to a worker that has all of its tasks.
pub fn registry(app: App, notifier: Notifier) -> Registry {
    tasks_analytics::add_to(Registry::new().state(app).state(notifier))
        .finance::<SendNotification>()
        .finance::<ProcessUserAction>()
        .finance_blocking::<BackupData>()
        .finance_blocking::<GenerateReports>()
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
