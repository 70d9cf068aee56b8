//! The worker of the analytics queues.

use std::convert::Infallible;
use std::process::ExitCode;

use tasks::App;

fn main() -> ExitCode {
    service::worker_main("celeriac-worker-analytics", |settings| {
        Ok::<_, Infallible>(tasks_analytics::registry(
            App::new(settings.data_folder()).with_database(settings.finance_url()),
        ))
    })
}
