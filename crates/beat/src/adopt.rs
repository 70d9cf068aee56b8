//! What an entry begins or goes on with: its record joined with its definition and with what its source knows. Pure.

use bytes::Bytes;
use jiff::Timestamp;

use crate::state::{Write, decode, encode, entry_key};
use crate::{Entry, EntryState};

/// What an entry goes on with, and its record if that must be written.
pub(crate) fn adopt(
    entry: &Entry,
    record: Option<&Bytes>,
    now: Timestamp,
) -> (EntryState, Option<Write>) {
    let before = record.map(|record| read(&entry.name, record));
    let state = adopted(entry, before.as_ref(), now);
    let write =
        (before.as_ref() != Some(&state)).then(|| (entry_key(&entry.name), Some(encode(&state))));
    (state, write)
}

/// What an entry goes on with: its record, if that is about this schedule, joined with what its source knows; otherwise it begins now, or
/// where its source says.
pub(crate) fn adopted(entry: &Entry, known: Option<&EntryState>, now: Timestamp) -> EntryState {
    let disabled = !entry.enabled;
    let Some(same) = known.filter(|state| state.timing == entry.timing()) else {
        let state = match &entry.kept {
            Some(kept) => kept.begin(entry, known, now),
            None => EntryState::new(entry, now),
        };
        return EntryState { disabled, ..state };
    };
    let mut state = same.clone();
    if let Some(kept) = &entry.kept {
        state = kept.join(state, now);
    }
    let is_enabled_now = state.disabled && entry.enabled;
    if is_enabled_now && !entry.policy.catch_up {
        state.last_slot = state.last_slot.max(now);
    }
    state.disabled = disabled;
    state
}

/// What becomes of a record whose entry is not in the plan. It goes with its entry; one that cannot be used at the moment keeps it, and is
/// enabled anew when it can be.
pub(crate) fn abandon(name: &str, record: Option<&Bytes>, is_unusable: bool) -> Option<Write> {
    let record = record?;
    if !is_unusable {
        return Some((entry_key(name), None));
    }
    let state = read(name, record);
    (!state.disabled).then(|| {
        let disabled = EntryState {
            disabled: true,
            ..state
        };
        (entry_key(name), Some(encode(&disabled)))
    })
}

/// The record of an entry; one that cannot be read belongs to no schedule.
pub(crate) fn read(name: &str, record: &[u8]) -> EntryState {
    decode(name, record).unwrap_or_else(EntryState::unreadable)
}
