//! The worker and the producer of the benchmarks with an allocator that counts. `bench allocations` starts it.

use std::alloc::System;
use std::process::ExitCode;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    bench::counting_main(|| {
        let stats = ALLOCATOR.stats();
        bench::Allocated {
            calls: stats.allocations + stats.reallocations,
            bytes: stats.bytes_allocated,
        }
    })
}
