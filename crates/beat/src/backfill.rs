//! Slots of the past, sent after all. Each is sent by this way at most once, and with the task id that its slot always has.

use std::collections::HashSet;

use broker::{BrokerError, Commit, Fence, Publish, Result};
use bytes::Bytes;
use client::{Client, ClientError};
use jiff::Timestamp;

use crate::state::{SPACE, decode, entry_key};
use crate::{Entry, EntryState};

/// The space that tells which slots were sent.
const SENT: &str = "celeriac.backfill";
/// How many slots one commit carries.
const BATCH: usize = 256;

/// The entry's slots in a range that has passed, and which of them may be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backfill {
    /// These would be sent.
    pub missing: Vec<Timestamp>,
    /// These were sent, by beat as far as its history goes, or by a backfill.
    pub sent: Vec<Timestamp>,
}

impl Backfill {
    /// Slots from `from` up to `to`, both included; at most `most`. Slots that beat will still deal with are left out.
    ///
    /// # Errors
    /// When the broker cannot be asked.
    pub async fn plan(
        client: &Client,
        entry: &Entry,
        from: Timestamp,
        to: Timestamp,
        most: usize,
    ) -> Result<Self> {
        let coordinator = &client.backends().coordinator;
        let state_key = entry_key(&entry.name);
        let found = coordinator
            .fetch(SPACE, std::slice::from_ref(&state_key))
            .await?;
        let state = found.into_iter().flatten().next();
        let state: Option<EntryState> = state.and_then(|record| decode(&state_key, &record));
        let dealt_with = state.as_ref().map_or(to, |state| state.last_slot);
        let slots = slots(entry, from, to.min(dealt_with)).take(most);
        let slots: Vec<Timestamp> = slots.collect();
        let keys: Vec<String> = slots.iter().map(|slot| key(entry, *slot)).collect();
        let records = coordinator.fetch(SENT, &keys).await?;
        let history = state.map(|state| state.history).unwrap_or_default();
        let by_beat: HashSet<Timestamp> = history
            .iter()
            .filter(|slot| slot.skipped.is_none())
            .map(|slot| slot.slot)
            .collect();
        let mut plan = Self::default();
        for (slot, record) in slots.into_iter().zip(records) {
            let is_sent = record.is_some() || by_beat.contains(&slot);
            let list = if is_sent {
                &mut plan.sent
            } else {
                &mut plan.missing
            };
            list.push(slot);
        }
        Ok(plan)
    }

    /// Sends what is missing, calling `progress` with how many were sent so far.
    ///
    /// # Errors
    /// When a message cannot be encoded or the broker refuses; what was sent until then stays sent.
    pub async fn send(
        &self,
        client: &Client,
        entry: &Entry,
        mut progress: impl FnMut(usize),
    ) -> Result<(), ClientError> {
        let owner = uuid::Uuid::new_v4().to_string();
        let fence = crate::stored::acquire(&*client.backends().coordinator, SENT, &owner)
            .await
            .map_err(failed)?;
        for (number, batch) in self.missing.chunks(BATCH).enumerate() {
            let commit = commit(client, entry, batch, fence)?;
            let coordinator = &client.backends().coordinator;
            let written = coordinator.commit(commit).await.map_err(failed)?;
            if !written {
                return Err(failed(crate::stored::busy()));
            }
            progress(number * BATCH + batch.len());
        }
        let released = client.backends().coordinator.release(SENT, &owner).await;
        released.map_err(failed)
    }
}

fn slots(entry: &Entry, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Timestamp> {
    let mut last = from - jiff::SignedDuration::from_micros(1);
    std::iter::from_fn(move || {
        last = entry.next_after(last).filter(|slot| *slot <= to)?;
        Some(last)
    })
}

fn commit(
    client: &Client,
    entry: &Entry,
    slots: &[Timestamp],
    fence: Fence,
) -> Result<Commit, ClientError> {
    let messages = slots
        .iter()
        .map(|slot| Ok(entry.prepare(client, *slot)?.publish));
    let publish: Vec<Publish> = messages.collect::<Result<_, ClientError>>()?;
    let entries = slots
        .iter()
        .map(|slot| (key(entry, *slot), Some(Bytes::from_static(b"sent"))));
    Ok(Commit {
        lease: SENT.to_owned(),
        fence,
        space: SENT.to_owned(),
        entries: entries.collect(),
        publish,
    })
}

fn failed(source: BrokerError) -> ClientError {
    ClientError::Broker {
        action: "send slots of the past",
        source,
    }
}

fn key(entry: &Entry, slot: Timestamp) -> String {
    format!("{}\0{slot}", entry.name)
}
