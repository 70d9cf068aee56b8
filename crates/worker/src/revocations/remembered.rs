//! Revokes that the broker remembers, so that they outlast all workers. The client writes them too.

use broker::{BrokerError, Coordinator};
use client::{REVOKED, REVOKED_STAMPS};
use protocol::{Codec, Limits, Map, Value};
use tracing::{info, warn};

use super::Revocations;

/// Takes over what the broker remembers. Without an answer the worker starts all the same, and says so.
pub(crate) async fn load(revocations: &Revocations, coordinator: &dyn Coordinator) {
    match read(revocations, coordinator).await {
        Ok(0) => {}
        Ok(revoked) => info!(revoked, "the broker remembers revoked tasks"),
        Err(error) => warn!(%error, "cannot ask the broker for revoked tasks"),
    }
}

async fn read(
    revocations: &Revocations,
    coordinator: &dyn Coordinator,
) -> Result<usize, BrokerError> {
    let ids = coordinator.remembered(REVOKED).await?;
    let stamps = coordinator.remembered(REVOKED_STAMPS).await?;
    if !ids.is_empty() {
        revocations.add(ids.iter().map(String::as_str));
    }
    let stamps: Vec<Map> = stamps.iter().filter_map(|text| stamp(text)).collect();
    stamps
        .iter()
        .for_each(|stamp| revocations.add_stamps(stamp));
    Ok(ids.len() + stamps.len())
}

fn stamp(text: &str) -> Option<Map> {
    match Codec::Json.decode(text.as_bytes(), &Limits::default()) {
        Ok(Value::Map(map)) => Some(map),
        Ok(_) => None,
        Err(error) => {
            warn!(%error, "a remembered stamp cannot be read");
            None
        }
    }
}
