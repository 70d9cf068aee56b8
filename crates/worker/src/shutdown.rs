//! How a worker is asked to stop.

use tokio_util::sync::CancellationToken;

/// The ways to stop, from the patient to the quick. Each includes those before it.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Take nothing new, finish what runs, give back the rest.
    pub warm: CancellationToken,
    /// As warm, for `worker_soft_shutdown_timeout`; then cold.
    pub soft: CancellationToken,
    /// End what runs too, and give it back.
    pub cold: CancellationToken,
}

impl Shutdown {
    /// Nobody has asked to stop yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until somebody asks to stop in any way.
    pub async fn requested(&self) {
        tokio::select! {
            () = self.warm.cancelled() => {}
            () = self.hurried() => {}
        }
    }

    /// Whether somebody has asked to stop.
    pub fn is_requested(&self) -> bool {
        self.warm.is_cancelled() || self.is_hurried()
    }

    /// Waits until somebody asks not to wait for all that runs.
    pub async fn hurried(&self) {
        tokio::select! {
            () = self.soft.cancelled() => {}
            () = self.cold.cancelled() => {}
        }
    }

    /// Whether somebody has asked not to wait for all that runs.
    pub fn is_hurried(&self) -> bool {
        self.soft.is_cancelled() || self.cold.is_cancelled()
    }
}
