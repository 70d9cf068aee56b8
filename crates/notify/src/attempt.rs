//! What one try of a channel gave.

/// The outcome of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The other side has taken it over.
    Sent,
    /// The channel is not set up; the text says what is missing.
    Skipped(&'static str),
    /// It may work later.
    Temporary(String),
    /// It will not work, however often it is tried.
    Refused(String),
}
