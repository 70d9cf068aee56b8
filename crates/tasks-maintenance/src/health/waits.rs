//! How long messages wait. They bear no time, so whoever looks remembers on the broker what was first in which queue, and since
//! when: the wait is at least that long.

use std::time::Duration;

use broker::{Backends, Result};
use jiff::{SignedDuration, Timestamp};
use protocol::{Limits, Message};
use serde::{Deserialize, Serialize};

/// Where the broker remembers.
const SPACE: &str = "celeriac.heads";
/// How long, if nobody looks again.
const KEEP: Duration = Duration::from_secs(24 * 3_600);

/// The first message of a queue.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    queue: String,
    id: String,
    /// When it was first seen there.
    since: Timestamp,
}

/// The queue whose first message waits longest, and for how long at least.
pub(super) async fn longest(
    backends: &Backends,
    queues: &[&str],
) -> Result<Option<(String, SignedDuration)>> {
    let coordinator = &backends.coordinator;
    let now = coordinator.now().await?;
    let known = coordinator.remembered(SPACE).await?;
    let known: Vec<Head> = known
        .iter()
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect();
    let mut heads = Vec::new();
    for queue in queues {
        let first = backends.admin.peek(queue, 1).await?;
        let id = first.first().and_then(|raw| id(raw));
        heads.extend(id.map(|id| Head {
            since: since(&known, queue, &id).unwrap_or(now),
            queue: (*queue).to_owned(),
            id,
        }));
    }
    let texts = heads.iter().map(serde_json::to_string);
    let texts = texts.filter_map(std::result::Result::ok).collect();
    coordinator.remember(SPACE, texts, KEEP).await?;
    let oldest = heads.into_iter().min_by_key(|head| head.since);
    Ok(oldest.map(|head| (head.queue, now.duration_since(head.since))))
}

fn since(known: &[Head], queue: &str, id: &str) -> Option<Timestamp> {
    let same = known
        .iter()
        .filter(|head| head.queue == queue && head.id == id);
    same.map(|head| head.since).min()
}

/// One that cannot be read has no id, and is parked as soon as somebody takes it.
fn id(raw: &[u8]) -> Option<String> {
    let message = Message::from_envelope(raw, &Limits::default()).ok()?;
    message.headers.id
}
