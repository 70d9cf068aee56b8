//! The tasks of the maintenance, monitoring and default queues.

mod cleanup_old_logs;
mod debug_task;
mod health;
pub mod logs;
mod trials;

use tasks::{App, RegisterFinance};
use worker::Registry;

pub use cleanup_old_logs::CleanupOldLogs;
pub use debug_task::DebugTask;
pub use health::{Check, CheckStatus, HealthCheck, HealthReport};
pub use trials::{TestFailure, TestProgress, TestRetry, TestSleep, TestTask};

/// All tasks of this worker, on this application.
pub fn registry(app: App) -> Registry {
    Registry::new()
        .state(app)
        .finance::<HealthCheck>()
        .finance_blocking::<CleanupOldLogs>()
        .finance::<DebugTask>()
        .finance::<TestTask>()
        .finance::<TestRetry>()
        .finance::<TestProgress>()
        .finance::<TestFailure>()
        .finance::<TestSleep>()
}
