//! What the last refresh of a scope gave, for as long as nothing has been written that it could rest on.

use jiff::Timestamp;

use super::envelope::{Envelope, RefreshData, Status};
use super::hash::FORMULAS;
use super::request::RefreshRequest;
use super::save;
use crate::error::Result;
use crate::store::Store;

/// What a refresh is made from: how often inputs were written, and the last day of every calendar. To be asked for before
/// anything is read, so that what is written meanwhile makes another one. `None` for a request that names portfolios, or
/// with an unknown calendar.
pub(super) async fn stamp(store: &Store, request: &RefreshRequest) -> Result<Option<String>> {
    if request.portfolio_ids.is_some() {
        return Ok(None);
    }
    let mut stamp = format!("{FORMULAS}|{}", store.revision().await?);
    for code in store.calendars(request.user_id).await? {
        let Ok(calendar) = request.calendars.get(&code) else {
            return Ok(None);
        };
        stamp.push_str(&format!("|{code} {}", request.day(&calendar)));
    }
    Ok(Some(stamp))
}

/// What a refresh made from `stamp` gave. Nothing once half the life of its cache entries is over, so that they are given
/// another one.
pub(super) async fn recall(
    store: &Store,
    request: &RefreshRequest,
    stamp: &str,
) -> Result<Option<Envelope<RefreshData>>> {
    let now = (request.clock)();
    let kept = store.kept_refresh(&request.lock_key(), stamp, now).await?;
    let kept: Option<Envelope<RefreshData>> =
        kept.and_then(|text| serde_json::from_str(&text).ok());
    Ok(kept.map(|mut envelope| {
        envelope.data.portfolios_skipped = envelope.data.portfolios;
        envelope
    }))
}

/// Keeps what a refresh gave, unless something is wrong with it.
pub(super) async fn keep(
    store: &Store,
    request: &RefreshRequest,
    stamp: &str,
    envelope: &Envelope<RefreshData>,
    started: Timestamp,
) -> Result<()> {
    if envelope.status != Status::Success {
        return Ok(());
    }
    let result = serde_json::to_string(envelope)?;
    let scope = request.lock_key();
    let until = save::half_life(started);
    store.keep_refresh(&scope, stamp, result, until).await
}
