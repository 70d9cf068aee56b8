//! The worker of the maintenance and monitoring queues.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    service::worker_main("celeriac-worker-maintenance", |settings| {
        let values = serde_json::json!(settings.section(""));
        let data = Path::new(settings.data_folder());
        tasks_maintenance::from_settings(data, settings.finance_url(), &values)
    })
}
