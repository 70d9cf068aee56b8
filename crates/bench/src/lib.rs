//! Benchmarks of the whole system, with Python Celery and other task queues beside it on the same Redis server.
//!
//! Every worker and scheduler measured is a process of its own: this program started again as one. It owns no tests of
//! behaviour and asserts no time.

mod allocations;
mod beat;
mod canvas;
mod cargo;
mod celery;
mod cli;
mod control;
mod depth;
mod drain;
mod eta;
mod figures;
mod instructions;
mod lab;
mod latency;
mod limit;
mod machine;
mod measurement;
mod memory;
mod micro;
mod peers;
mod publish;
mod reference;
mod report;
mod row;
mod sequence;
mod server_cpu;
mod setup;
mod size;
mod spin;
mod stamps;
mod start;
mod stats;
mod tasks;
mod trial;
mod worker_process;

use std::process::ExitCode;

pub use allocations::{Allocated, counting_main};

/// The whole program: a worker or a scheduler when it is started under such a name, else the command line.
pub fn main() -> ExitCode {
    match tasks::role() {
        Some(tasks::WORKER) => tasks::worker_main(),
        Some(name) => service::beat_main(name),
        None => cli::main(),
    }
}
