//! The worker of the maintenance and monitoring queues.

use std::convert::Infallible;
use std::process::ExitCode;

use tasks::App;

fn main() -> ExitCode {
    service::worker_main("celeriac-worker-maintenance", |settings| {
        Ok::<_, Infallible>(tasks_maintenance::registry(
            App::new(settings.data_folder()).with_database(settings.finance_url()),
        ))
    })
}
