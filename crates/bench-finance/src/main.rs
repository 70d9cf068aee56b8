//! Benchmarks of the finance domain at scale: the reference load in memory and as a whole task, with Python and the limit
//! of the machine beside it in the same run. Every measurement is a process of its own, so that memory is its own.

mod cli;
mod database;
mod document;
mod figures;
mod load;
mod memory;
mod peers;
mod reconcile;
mod refresh;
mod suite;

use std::process::ExitCode;

/// Portfolios are made of very many small pieces.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
