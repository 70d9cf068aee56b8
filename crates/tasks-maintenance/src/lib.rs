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
use service::Settings;
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

/// Every finance task, on the application that the settings describe.
///
/// # Errors
/// When providers or the ways to tell people are set wrong.
pub fn from_settings(settings: &Settings) -> Result<Registry, Box<dyn Error + Send + Sync>> {
    let data = Path::new(settings.data_folder());
    let providers = serde_json::json!(settings.section("celeriac_market_data_"));
    let app = App::new(data)
        .with_database(settings.finance_url())
        .with_providers(Providers::from_settings(providers, data)?);
    Ok(registry(app, Notifier::from_settings(settings)?))
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
