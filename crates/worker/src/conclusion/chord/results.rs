//! A chord's results, in the structure of its header.

use std::collections::HashMap;
use std::time::Duration;

use broker::{BrokerError, ChordPart, ChordParts, ResultBackend};
use futures_util::future::BoxFuture;
use protocol::{ResultTuple, Signature, State, TaskMeta, Value};
use tracing::warn;

use super::ChordFailure;
use crate::engine::Engine;

/// Wait before a result backend that cannot be reached is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// The option of a body that takes its members' errors among their results, as exception maps. Ours.
const ALLOW_ERRORS: &str = "allow_errors";

/// The results that the body is called with, or why it is not called.
///
/// # Errors
/// When the result backend refuses what waiting does not mend.
pub(crate) async fn gather(
    engine: &Engine,
    group_id: &str,
    body: &Signature,
) -> Result<Result<Vec<Value>, ChordFailure>, BrokerError> {
    let results = engine
        .client
        .backends()
        .results
        .as_deref()
        .expect("members are counted only where there are results");
    let ChordParts { parts, header } = persistently(|| results.chord_parts(group_id)).await?;
    let allows_errors = body.options.get(ALLOW_ERRORS).and_then(Value::as_bool) == Some(true);
    let Some(header) = header else {
        return Ok(in_order(parts, allows_errors));
    };
    match ResultTuple::from_value(header) {
        Ok(header) => structured(results, parts, &header, allows_errors).await,
        Err(error) => {
            let text = format!("Join error: {error}");
            Ok(Err(ChordFailure::of(text)))
        }
    }
}

/// Whether this is a state in which a member has a result.
pub(crate) fn ends_well(state: &State) -> bool {
    !matches!(state, State::Failure | State::Revoked)
}

fn in_order(parts: Vec<ChordPart>, allows_errors: bool) -> Result<Vec<Value>, ChordFailure> {
    parts
        .into_iter()
        .map(|part| match ends_well(&part.state) || allows_errors {
            true => Ok(part.result),
            false => Err(ChordFailure::dependency(&part.task_id, &part.result)),
        })
        .collect()
}

/// The results of a header with groups in it: as nested as the header. What the members did not bring along is asked for.
async fn structured(
    results: &dyn ResultBackend,
    parts: Vec<ChordPart>,
    header: &ResultTuple,
    allows_errors: bool,
) -> Result<Result<Vec<Value>, ChordFailure>, BrokerError> {
    let ends = parts
        .into_iter()
        .map(|part| (part.task_id, (part.state, part.result)));
    let mut ends: HashMap<String, (State, Value)> = ends.collect();
    let mut missing = Vec::new();
    leaves(header, &mut |id| {
        if !ends.contains_key(id) {
            missing.push(id.to_owned());
        }
    });
    if !missing.is_empty() {
        let metas = persistently(|| results.fetch(&missing)).await?;
        ends.extend(metas.into_iter().flatten().filter(is_ready).map(end));
    }
    let mut joining = Joining {
        ends,
        allows_errors,
    };
    let children = header.children.as_deref().unwrap_or_default();
    Ok(joining.each(children))
}

fn is_ready(meta: &TaskMeta) -> bool {
    meta.status.is_ready()
}

fn end(meta: TaskMeta) -> (String, (State, Value)) {
    (meta.task_id, (meta.status, meta.result))
}

fn leaves(tuple: &ResultTuple, visit: &mut impl FnMut(&str)) {
    match &tuple.children {
        None => visit(&tuple.id),
        Some(children) => {
            for child in children {
                leaves(child, visit);
            }
        }
    }
}

struct Joining {
    ends: HashMap<String, (State, Value)>,
    allows_errors: bool,
}

impl Joining {
    fn each(&mut self, tuples: &[ResultTuple]) -> Result<Vec<Value>, ChordFailure> {
        tuples.iter().map(|tuple| self.one(tuple)).collect()
    }

    fn one(&mut self, tuple: &ResultTuple) -> Result<Value, ChordFailure> {
        if let Some(children) = &tuple.children {
            return self.each(children).map(Value::List);
        }
        match self.ends.remove(&tuple.id) {
            Some((state, result)) if ends_well(&state) || self.allows_errors => Ok(result),
            Some((_, result)) => Err(ChordFailure::join(&result)),
            None => Err(ChordFailure::of(format!(
                "Join error: the result of {} is not there",
                tuple.id
            ))),
        }
    }
}

/// Asks until the backend answers: meanwhile the message stays held.
async fn persistently<'a, T>(
    ask: impl Fn() -> BoxFuture<'a, Result<T, BrokerError>>,
) -> Result<T, BrokerError> {
    loop {
        match ask().await {
            Err(error) if error.is_transient() => {
                warn!(%error, "a chord's results cannot be read, trying again");
                tokio::time::sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
}
