//! What the benchmarks count, held against bounds. Times are never held against anything.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod allocations;
