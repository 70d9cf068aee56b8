//! The tasks of the maintenance, monitoring and default queues.

mod cleanup_old_logs;
mod debug_task;
mod health;
pub mod logs;
mod trials;

use tasks::App;
use worker::Registry;

pub use cleanup_old_logs::CleanupOldLogs;
pub use debug_task::DebugTask;
pub use health::{Check, CheckStatus, HealthCheck, HealthReport};
pub use trials::{TestFailure, TestProgress, TestRetry, TestSleep, TestTask};

/// All tasks of this worker, on this application.
pub fn registry(app: App) -> Registry {
    Registry::new()
        .state(app)
        .task::<HealthCheck>()
        .alias("apps.main.tasks.health_check")
        .blocking::<CleanupOldLogs>()
        .task::<DebugTask>()
        .task::<TestTask>()
        .task::<TestRetry>()
        .task::<TestProgress>()
        .task::<TestFailure>()
        .task::<TestSleep>()
}
