//! Snapshots: what a portfolio was worth at the end of a day, one row for each portfolio and day.
//!
//! A row is rewritten only when what it rests on has changed: ledger rows, prices, actions and rates up to its day,
//! settings, and the day of the snapshot before it. `compute` is pure, `run` loads and saves.

mod compute;
mod request;
mod run;

pub use request::{SnapshotData, SnapshotRequest};
pub use run::create_snapshots;
