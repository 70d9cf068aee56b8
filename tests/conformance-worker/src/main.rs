//! A worker that runs the tasks which Celery's own integration tests call, so that those tests can be run against this
//! engine in place of a Python worker.

mod canvas;
mod python;
mod registry;
mod store;
mod task;
mod tasks;

use std::process::ExitCode;

fn main() -> ExitCode {
    service::worker_main("conformance-worker", |_| {
        Ok::<_, redis::RedisError>(registry::registry().state(store::Store::from_environment()?))
    })
}
