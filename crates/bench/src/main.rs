//! Benchmarks of the whole system, with Python Celery beside it on the same Redis server.
//!
//! Every worker measured is a process of its own: this program started again as a worker. It owns no tests of
//! behaviour and asserts no time.

mod celery;
mod cli;
mod drain;
mod figures;
mod lab;
mod latency;
mod machine;
mod memory;
mod proctree;
mod progress;
mod reference;
mod report;
mod setup;
mod stamps;
mod start;
mod stats;
mod tasks;
mod trial;
mod worker_process;

use std::process::ExitCode;

fn main() -> ExitCode {
    if tasks::is_worker() {
        tasks::worker_main()
    } else {
        cli::main()
    }
}
