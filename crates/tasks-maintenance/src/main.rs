//! The worker of the maintenance and monitoring queues.

use std::convert::Infallible;
use std::process::ExitCode;

fn main() -> ExitCode {
    service::worker_main("celeriac-worker-maintenance", |settings| {
        Ok::<_, Infallible>(tasks_maintenance::registry(settings.data_folder()))
    })
}
