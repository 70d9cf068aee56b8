//! The worker of the analytics queues.

use std::convert::Infallible;
use std::process::ExitCode;

fn main() -> ExitCode {
    service::worker_main("celeriac-worker-analytics", |settings| {
        Ok::<_, Infallible>(tasks_analytics::registry(settings.data_folder()))
    })
}
