//! What a starting worker asks of its broker, asked again while the broker cannot be reached. Once it runs, its consumer waits through
//! outages by itself.

use std::time::{Duration, Instant};

use broker::BrokerError;
use tracing::warn;

use crate::WorkerError;
use crate::engine::Engine;

/// Wait before asking again.
const PAUSE: Duration = Duration::from_millis(500);

/// Asks until the broker answers, as long as the worker waits for a broker that went away.
pub(crate) async fn reach<T, F>(
    engine: &Engine,
    action: &'static str,
    ask: impl Fn() -> F,
) -> Result<T, WorkerError>
where
    F: Future<Output = Result<T, BrokerError>>,
{
    let begun = Instant::now();
    let patience = engine.settings.connection_patience.unwrap_or(Duration::MAX);
    loop {
        match ask().await {
            Err(error) if error.is_transient() && begun.elapsed() < patience => {
                warn!(%error, "{action} failed, trying again");
            }
            asked => return asked.map_err(WorkerError::broker(action)),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
