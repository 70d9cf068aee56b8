//! How a worker is asked to stop.

use tokio_util::sync::CancellationToken;

/// The two ways to stop. Cancelling `cold` without `warm` stops cold at once.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Take nothing new, finish what runs, give back the rest.
    pub warm: CancellationToken,
    /// End what runs too, and give it back.
    pub cold: CancellationToken,
}

impl Shutdown {
    /// Nobody has asked to stop yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until somebody asks to stop in either way.
    pub async fn requested(&self) {
        tokio::select! {
            () = self.warm.cancelled() => {}
            () = self.cold.cancelled() => {}
        }
    }

    /// Whether somebody has asked to stop.
    pub fn is_requested(&self) -> bool {
        self.warm.is_cancelled() || self.cold.is_cancelled()
    }
}
