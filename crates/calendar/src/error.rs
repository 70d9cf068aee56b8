//! What can be wrong with a calendar.

use std::path::PathBuf;

/// The crate's result.
pub type Result<T> = std::result::Result<T, CalendarError>;

/// An error with what to do about it in its text.
#[derive(Debug, thiserror::Error)]
pub enum CalendarError {
    /// No calendar of this name.
    #[error("unknown calendar {0}: use XNYS, XLON, XETR, XKLS or 24/7")]
    Unknown(String),
    /// A row of a calendar table is not understood.
    #[error(
        "calendar {mic}, line {line}: cannot read {text:?}; expected date,kind,open_local,close_local"
    )]
    BadRow {
        /// The calendar.
        mic: String,
        /// The line, from one.
        line: usize,
        /// The line itself.
        text: String,
    },
    /// A table cannot be read.
    #[error("calendar file {} cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}
