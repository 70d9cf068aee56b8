//! The maintenance tasks as callers see them: by name, on a worker.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod actions;
mod backups;
mod health;
mod logs;
mod reports;
mod shared;
mod support;
mod telling;
mod trials;
mod validation;
mod weekly;
