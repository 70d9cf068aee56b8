//! Moves deferred messages to their queues when they are due. Deferred ones lie on the server; this knows only when the next is due.

use std::sync::Arc;
use std::time::Duration;

use broker::Result;

use super::shared::{Shared, decode};
use crate::script;

/// Messages of one script.
const CHUNK: usize = 500;
/// Longest time between two looks: another worker may have deferred something and died.
const LONGEST: Duration = Duration::from_secs(1);
/// When to try again where a message's key is no list.
const RETRY_MS: u64 = 10_000;

/// Moves what is due, then sleeps until the next is, or until something is deferred.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        let pause = match promote(&shared).await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::error!(%error, "cannot move due messages to their queues");
                LONGEST
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shared.deferred.notified() => {}
        }
    }
}

/// Moves one chunk; how long to wait before the next.
async fn promote(shared: &Shared) -> Result<Duration> {
    let keys = &shared.keys;
    let mut command =
        script::PROMOTE.on(&[&keys.unacked, &keys.unacked_index, &keys.poison, &keys.eta]);
    command
        .arg(CHUNK)
        .arg(keys.prefix())
        .arg(keys.separator())
        .arg(RETRY_MS);
    let answer = shared.keep.persist("move due messages", command).await?;
    let (moved, next_ms): (usize, i64) = decode(&shared.keep, "move due messages", answer)?;
    Ok(match u64::try_from(next_ms) {
        Ok(_) if moved == CHUNK => Duration::ZERO,
        Ok(next) => Duration::from_millis(next.max(1)).min(LONGEST),
        Err(_) => LONGEST,
    })
}
