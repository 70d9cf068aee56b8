//! Backups: the tables of one moment in one compressed file, verified by restoring it, and brought back.
//!
//! * [`Scope`]: which tables. `archive` is the file, the same whichever server the rows come from, so that what was backed up
//!   from SQLite can be restored into PostgreSQL and the other way round.
//! * [`write()`]: reads all rows in one transaction that sees one moment while others go on writing, into a file that is there
//!   whole or not at all, with a manifest beside it; then restores it into a scratch database and counts.
//! * [`restore`](fn@restore): into an empty database, or over all rows when that is asked for; in one transaction, so that a full disk or a
//!   damaged file changes nothing.
//! * [`prune`]: old backups away.
//!
//! SQLite's backup API copies pages, which only SQLite can read, and only all of them. Reading in one transaction sees one
//! moment just as well, gives any scope, and fits both servers.

mod archive;
mod cell;
mod contents;
mod manifest;
mod prune;
mod restore;
mod scope;
mod write;

pub use contents::{Contents, TableContents};
pub use manifest::Manifest;
pub use prune::prune;
pub use restore::{Restored, inspect, restore, restore_url};
pub use scope::Scope;
pub use write::{BackupRequest, write};

pub(crate) use cell::Cell;
#[cfg(test)]
pub(crate) use scope::LEFT_OUT;
pub(crate) use scope::TABLES;

use std::path::Path;

use crate::error::Error;

/// The error for a file that cannot be restored.
fn unusable(path: &Path, problem: impl std::fmt::Display) -> Error {
    Error::Backup {
        path: path.to_owned(),
        problem: problem.to_string(),
    }
}
