//! The worker of the maintenance and monitoring queues.

use std::process::ExitCode;

fn main() -> ExitCode {
    service::worker_main(
        "celeriac-worker-maintenance",
        tasks_maintenance::from_settings,
    )
}
