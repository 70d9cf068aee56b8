//! Chords, from the side of a member that has ended: what counts, and what the last one leads to.
//!
//! Counting is the broker's; when to count and to join is `settler`'s.

mod failed;
mod results;

use std::sync::Arc;

use broker::{BrokerError, ChordPart};
use client::canvas::{Lineage, apply};
use protocol::{Signature, State, TaskRequest, Value};
use tracing::{error, info};

use super::next;
use super::sequel::{Sequel, cannot_send};
use crate::Failure;
use crate::engine::Engine;

pub(crate) use failed::{ChordFailure, fail_body};
pub(crate) use results::{ends_well, gather};

/// A member of a chord that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// What is counted.
    pub(crate) part: ChordPart,
    /// What is called when it was the last. Unknown when the member's message could not be read so far.
    pub(crate) body: Option<Signature>,
    /// What the body inherits.
    pub(crate) lineage: Arc<Lineage>,
}

/// The task as a member of its chord, if it is in one and chords are counted.
pub(crate) fn member(
    engine: &Engine,
    request: &TaskRequest,
    state: State,
    result: impl FnOnce() -> Value,
) -> Option<Member> {
    let body = request.embed.chord.as_ref()?;
    let group_id = request.group.clone().filter(|_| engine.counts_chords)?;
    let part = ChordPart {
        group_id,
        task_id: request.id.clone(),
        group_index: request.group_index,
        state,
        result: result(),
    };
    Some(Member {
        part,
        body: Some(body.clone()),
        lineage: Arc::new(next::lineage(engine, request)),
    })
}

/// What follows from the end of a chord whose last member was this one: its body's call, or its body's failure. `unsent` says why
/// the body could not be sent.
///
/// # Errors
/// When the result backend refuses what waiting does not mend.
pub(crate) async fn join(
    engine: &Arc<Engine>,
    member: &Member,
    unsent: Option<&Failure>,
) -> Result<Sequel, BrokerError> {
    let group_id = &member.part.group_id;
    let Some(body) = &member.body else {
        error!(
            group_id,
            "a chord is complete, but what it calls is not known"
        );
        return Ok(Sequel::default());
    };
    let called = match unsent {
        Some(failure) => Err(ChordFailure::callback(failure.clone())),
        None => gather(engine, group_id, body)
            .await?
            .and_then(|results| call_body(engine, body, results, &member.lineage)),
    };
    Ok(called.unwrap_or_else(|failure| {
        error!(
            group_id,
            error = failure.error.exception.repr(),
            "chord failed"
        );
        fail_body(engine, body, &failure, &member.lineage)
    }))
}

/// The body's call with the results as its first argument.
pub(crate) fn call_body(
    engine: &Engine,
    body: &Signature,
    results: Vec<Value>,
    lineage: &Lineage,
) -> Result<Sequel, ChordFailure> {
    if body.task.is_empty() {
        return Err(ChordFailure::of("the body cannot be read".to_owned()));
    }
    info!(body = body.task, members = results.len(), "chord complete");
    let lineage = lineage_of_body(body, lineage);
    let mut sequel = Sequel::default();
    apply(body.clone(), &[Value::List(results)], Vec::new(), &lineage)
        .map_err(cannot_send)
        .and_then(|applied| sequel.add(engine, applied))
        .map_err(ChordFailure::callback)?;
    Ok(sequel)
}

/// Unlike a callback, a body keeps the parent and the root that it has already.
fn lineage_of_body(body: &Signature, lineage: &Lineage) -> Lineage {
    let own = |name| body.text_option(name).map(str::to_owned);
    Lineage {
        parent_id: own("parent_id").or_else(|| lineage.parent_id.clone()),
        root_id: own("root_id").or_else(|| lineage.root_id.clone()),
        ..lineage.clone()
    }
}
