//! The end of a run that takes long: shortly before it is expected the slot's next message is asked for. When that is, `pools` knows.

use std::future::{Future, pending};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::sleep;

use super::Permits;
use super::lanes::PATIENCE;
use crate::pools::{Ending, Pace};

/// Announces the end of the run that begins now with these permits, if it can be told. Never ends itself.
pub(super) fn announced(pace: &Pace, permits: &mut Permits) -> impl Future<Output = ()> + use<> {
    let announcing = pace.ends_soon_after().map(|after| {
        let ending = Arc::new(permits.place.ending());
        let watched = Arc::downgrade(&ending);
        permits.ending = Some(ending);
        // Boxed: short runs have no use for a timer.
        Box::pin(announce(watched, after))
    });
    async {
        if let Some(announcing) = announcing {
            announcing.await;
        }
        pending().await
    }
}

/// A run that goes on is no longer expected to end soon before its successor is given back, so that no other one is asked for.
async fn announce(ending: Weak<Ending>, after: Duration) {
    sleep(after).await;
    ending.upgrade().inspect(|ending| ending.announce());
    sleep(PATIENCE / 2).await;
    ending.upgrade().inspect(|ending| ending.withdraw());
}
