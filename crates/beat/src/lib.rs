//! The scheduler: schedules, entries, leadership.
mod error;
pub mod schedule;
