//! How far a long operation is. Reporting it, and how often, is the caller's business.

/// A step of a long operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done, such as `load` or `store`.
    pub phase: &'static str,
    /// How much is done.
    pub current: u64,
    /// How much there is.
    pub total: u64,
}

impl Progress {
    /// Whole per cent done; 100 when there is nothing to do.
    pub fn percent(&self) -> u64 {
        let done = self.current.min(self.total) * 100;
        done.checked_div(self.total).unwrap_or(100)
    }
}
