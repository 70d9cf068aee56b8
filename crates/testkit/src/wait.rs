//! Waiting for a condition with a deadline. It owns the only polling loops of the test kit.

use std::future::Future;
use std::time::{Duration, Instant};

/// Time between two looks at a condition that cannot announce itself.
const INTERVAL: Duration = Duration::from_millis(10);

/// Waits until `condition` answers true.
///
/// # Panics
/// When `deadline` has passed and the condition still does not hold.
#[track_caller]
pub fn wait_until<C, F>(deadline: Duration, mut condition: C) -> impl Future<Output = ()>
where
    C: FnMut() -> F,
    F: Future<Output = bool>,
{
    let caller = std::panic::Location::caller();
    async move {
        let end = Instant::now() + deadline;
        while !condition().await {
            assert!(
                Instant::now() < end,
                "{caller}: the condition did not hold within {deadline:?}"
            );
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

/// Blocks until `ready` answers `Some`; `None` when `deadline` has passed first.
pub(crate) fn poll_blocking<T>(
    deadline: Duration,
    mut ready: impl FnMut() -> Option<T>,
) -> Option<T> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(value) = ready() {
            return Some(value);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(INTERVAL);
    }
}
