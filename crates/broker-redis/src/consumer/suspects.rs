//! Reservations whose answer got lost with its connection. The server may hold messages for them that nobody here knows of; their
//! tags can be told in advance, so they are looked for, until no such reservation can still be carried out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::Result;
use tokio::sync::Mutex;

use super::shared::Shared;
use super::tag;
use super::take::delivery;
use crate::envelope;

/// How long an unanswered reservation may still be carried out: its connection is closed at once, but a stalled server reads what was sent before.
const SUSPICION: Duration = Duration::from_secs(120);

/// A reservation whose answer got lost.
#[derive(Debug)]
struct Suspect {
    incarnation: Arc<str>,
    /// Tags that it may have used and that were not found yet.
    tags: Vec<Arc<str>>,
    since: Instant,
}

/// The reservations to look for. The lock makes those who look take turns, so that no message is found twice.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    list: Mutex<Vec<Suspect>>,
}

impl Suspects {
    /// Notes a reservation of `count` messages, numbered from `first`.
    pub(super) async fn add(&self, incarnation: Arc<str>, steps: &[u8], first: u64, count: u64) {
        let at_step = |number| {
            let incarnation = Arc::clone(&incarnation);
            let tags = move |step: &u8| {
                [false, true]
                    .map(|poison| Arc::from(tag::write(&incarnation, poison, *step, number)))
            };
            steps.iter().flat_map(tags)
        };
        let tags = (first..first + count).flat_map(at_step).collect();
        self.list.lock().await.push(Suspect {
            incarnation: Arc::clone(&incarnation),
            tags,
            since: Instant::now(),
        });
    }
}

/// Looks for what unanswered reservations took, and keeps it for the next who reserves.
pub(super) async fn recover(shared: &Shared) -> Result<()> {
    let mut list = shared.suspects.list.lock().await;
    let current = shared.lease.current();
    list.retain(|suspect| suspect.since.elapsed() < SUSPICION && suspect.incarnation == current);
    for suspect in list.iter_mut() {
        let asked = Instant::now();
        let records = shared.records(&shared.keep, &suspect.tags).await?;
        let mut records = records.into_iter();
        suspect.tags.retain(|tag| {
            let record = records.next().flatten();
            let held = record.as_deref().and_then(envelope::read_own);
            if let Some(held) = &held {
                let queue = held.routing_key.as_ref().into();
                let envelope = held.envelope.to_vec();
                let found = delivery(shared, tag.to_string(), queue, envelope, asked);
                shared.holds.add([found]);
                shared.wake.now();
            }
            held.is_none()
        });
    }
    Ok(())
}
