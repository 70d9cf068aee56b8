//! Reserving: one script takes and holds; when nothing is there, wait.
//!
//! What was asked for a caller who goes away is looked at in its turn all the same, and waits for the next caller. Nothing more is asked
//! for him. An answer that got lost with its connection is looked for under the numbers that its tags would have.

use std::sync::Arc;

use broker::{Delivery, Result};

use super::requests::Answered;
use super::shared::Shared;
use super::suspects;
use super::take::lists;
use crate::error::closed;
use crate::link::Backoff;

/// Most messages of one reservation; more are had by asking again. Bounds how long the script occupies the server.
const MOST: usize = 1_000;

pub(super) async fn reserve(shared: &Arc<Shared>, max: usize) -> Result<Vec<Delivery>> {
    let max = max.clamp(1, MOST);
    let requests = &shared.requests;
    let _caller = requests.enter();
    shared.ask(max).await?;
    let mut turn = requests.turn().await;
    let mut backoff = shared.hot.backoff();
    // Where nothing was, if that is the last that is known.
    let mut nothing = None;
    loop {
        if let Some(ready) = ready(shared, max)? {
            return Ok(ready);
        }
        let joined = requests.joined();
        nothing = match (shared.next_answer(&mut turn).await.transpose()?, nothing) {
            (Some(Answered::Nothing(odd)), _) => Some(odd),
            (Some(Answered::Ask), _) => None,
            (None, Some(odd)) => {
                backoff = shared.hot.backoff();
                tokio::select! {
                    waited = wait(shared, &odd) => waited?,
                    () = joined => {}
                }
                None
            }
            (None, None) if requests.is_lost() => {
                find_again(shared, &mut backoff).await?;
                None
            }
            (None, None) => {
                shared.ask(max).await?;
                None
            }
        };
    }
}

/// Takes what is there for it when all that was asked for by now is answered, and never waits for more.
pub(super) async fn reserve_behind(shared: &Arc<Shared>, max: usize) -> Result<Vec<Delivery>> {
    let max = max.clamp(1, MOST);
    let requests = &shared.requests;
    let _caller = requests.enter();
    shared.ask(max).await?;
    let mut turn = tokio::select! {
        biased;
        turn = requests.turn() => turn,
        // Whoever has the turn has looked at the answer, and waits for messages or takes those that came.
        () = requests.all_answered() => {
            if shared.holds.is_idle() {
                return Ok(Vec::new());
            }
            requests.turn().await
        }
    };
    loop {
        if let Some(ready) = ready(shared, max)? {
            return Ok(ready);
        }
        if shared.next_answer(&mut turn).await.transpose()?.is_none() {
            return Ok(Vec::new());
        }
    }
}

/// What was taken already and nobody was given yet, if there is any.
fn ready(shared: &Shared, max: usize) -> Result<Option<Vec<Delivery>>> {
    let ready = shared.holds.take(max);
    if ready.is_empty() && shared.stop.is_cancelled() {
        return Err(closed());
    }
    Ok((!ready.is_empty()).then_some(ready))
}

/// Pauses, then looks for what unanswered requests took.
async fn find_again(shared: &Shared, backoff: &mut Backoff) -> Result<()> {
    let finding = async {
        backoff.pause().await;
        suspects::recover(shared).await
    };
    tokio::select! {
        found = finding => found?,
        () = shared.stop.cancelled() => return Err(closed()),
    }
    shared.requests.found();
    Ok(())
}

async fn wait(shared: &Shared, odd: &[usize]) -> Result<()> {
    let (plan, _) = shared.plan();
    // A key that is no list exists for ever and would keep the wait from waiting; the next look finds it mended.
    let watched: Vec<&str> = lists(shared, &plan)
        .enumerate()
        .filter(|(at, _)| !odd.contains(at))
        .map(|(_, list)| list)
        .collect();
    if watched.len() < plan.len() * shared.keys.steps().len() {
        tracing::warn!(keys = ?odd.len(), "a queue's key in Redis is no list; it is left alone");
    }
    tokio::select! {
        waited = shared.wake.wait(&shared.hot, &watched) => waited,
        () = shared.stop.cancelled() => Err(closed()),
    }
}
