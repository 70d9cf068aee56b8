//! How many publications of one client may be under way: more wait for their turn, and for a broker that does not keep up not for ever.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{ClientError, ClientOptions};

/// The turns of a client's publications.
#[derive(Debug)]
pub(crate) struct Pressure {
    turns: Semaphore,
    limit: usize,
    patience: Duration,
}

impl Pressure {
    pub(crate) fn new(options: &ClientOptions) -> Self {
        let limit = options.publish_limit.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            turns: Semaphore::new(limit),
            limit,
            patience: options.publish_patience,
        }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`ClientError::Congested`] when none has come in time.
    pub(crate) async fn enter(&self) -> Result<SemaphorePermit<'_>, ClientError> {
        if let Ok(turn) = self.turns.try_acquire() {
            return Ok(turn);
        }
        let turn = tokio::time::timeout(self.patience, self.turns.acquire()).await;
        let congested = |_| ClientError::Congested {
            limit: self.limit,
            patience: self.patience,
        };
        Ok(turn
            .map_err(congested)?
            .expect("the turns are never closed"))
    }
}
