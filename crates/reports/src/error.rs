//! What can go wrong on the way to a file.

use std::path::PathBuf;

use portfolio::ledger::LedgerError;

/// An error with what to do about it in its text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger does not add up.
    #[error("the figures cannot be made: {0}")]
    Ledger(#[from] LedgerError),
    /// The name of an artefact would leave its folder.
    #[error("{name:?} is no file name: it must not be empty, start with a dot or hold a path")]
    Name {
        /// The name.
        name: String,
    },
    /// No space is left for the file.
    #[error("the disk is full: {} was not written, nothing of it is left", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// A row cannot be written to its destination.
    #[error("cannot write the export")]
    Write(#[source] std::io::Error),
    /// A font cannot be used.
    #[error("font {name}: {problem}")]
    Font {
        /// The font's name or file.
        name: String,
        /// What is wrong.
        problem: String,
    },
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
