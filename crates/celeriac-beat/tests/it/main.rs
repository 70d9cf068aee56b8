//! The scheduler's program as a process.

mod program;
