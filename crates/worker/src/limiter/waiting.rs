//! The messages that wait here for their tokens, soonest first.

use std::collections::BTreeMap;
use std::future::pending;
use std::time::Instant;

use crate::admission::Run;

/// Runs by the time of their tokens; those of the same time in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    runs: BTreeMap<(Instant, u64), Run>,
    came: u64,
}

impl Waiting {
    pub(crate) fn add(&mut self, at: Instant, run: Run) {
        self.came += 1;
        self.runs.insert((at, self.came), run);
    }

    /// Waits until the first run's time has come; for ever while there is none. Cancel-safe.
    pub(crate) async fn due(&self) {
        match self.runs.first_key_value() {
            Some(((at, _), _)) => tokio::time::sleep_until((*at).into()).await,
            None => pending().await,
        }
    }

    /// Takes the first run.
    pub(crate) fn take(&mut self) -> Option<Run> {
        self.runs.pop_first().map(|(_, run)| run)
    }
}
