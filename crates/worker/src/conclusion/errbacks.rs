//! Errbacks: those that this worker registers as such are called in it, all others are sent as one group.

use std::sync::Arc;

use client::canvas::{Lineage, group_of};
use protocol::{Signature, TaskRequest, Value};
use tracing::error;

use super::next::new_id;
use super::sequel::{Sequel, cannot_send};
use crate::engine::Engine;
use crate::errback::ErrbackCall;
use crate::{Arguments, Failure};

/// What calls these errbacks of a task that has failed. Errbacks that cannot be sent are logged: the failure stands.
pub(super) fn call(
    engine: &Engine,
    errbacks: &[Signature],
    failed: &TaskRequest,
    failure: &Failure,
) -> Sequel {
    let mut sequel = Sequel::default();
    let mut sent = Vec::new();
    for errback in errbacks {
        match engine.registry.errback_named(&errback.task) {
            Some(registered) => sequel.errbacks.push(ErrbackCall {
                errback: Arc::clone(registered),
                arguments: Arguments {
                    args: errback.args.clone(),
                    kwargs: errback.kwargs.clone(),
                },
                request: failed.clone(),
                failure: failure.clone(),
            }),
            None => sent.push(errback.clone()),
        }
    }
    if !sent.is_empty()
        && let Err(unsent) = send(engine, &mut sequel, sent, failed)
    {
        let exception = unsent.exception.repr();
        error!(task_id = failed.id, exception, "errbacks cannot be sent");
    }
    sequel
}

/// One group, each with the failed task's id in front of its arguments.
fn send(
    engine: &Engine,
    sequel: &mut Sequel,
    errbacks: Vec<Signature>,
    failed: &TaskRequest,
) -> Result<(), Failure> {
    let lineage = Lineage {
        priority: None,
        ..super::next::lineage(engine, failed)
    };
    let args = [Value::from(failed.id.as_str())];
    let applied = group_of(errbacks, &args, &new_id(), &lineage).map_err(cannot_send)?;
    sequel.add(engine, applied)
}

/// The errbacks of a signature, and those of the group around it, each once. A chord's result is that of its body.
pub(super) fn linked(signature: &Signature, group: Option<&Signature>) -> Vec<Signature> {
    let mut found = Vec::new();
    own(signature, &mut found);
    if let Some(group) = group {
        options(group, &mut found);
    }
    found
}

fn own(signature: &Signature, found: &mut Vec<Signature>) {
    options(signature, found);
    if signature.subtask_type.as_deref() == Some("chord")
        && let Some(body) = signature.kwargs.get("body")
        && let Ok(body) = Signature::from_value(body.clone())
    {
        own(&body, found);
    }
}

fn options(signature: &Signature, found: &mut Vec<Signature>) {
    let linked = match signature.options.get("link_error") {
        Some(Value::List(linked)) => linked.as_slice(),
        Some(single @ Value::Map(_)) => std::slice::from_ref(single),
        _ => return,
    };
    for errback in linked {
        match Signature::from_value(errback.clone()) {
            Ok(errback) if !found.contains(&errback) => found.push(errback),
            Ok(_) => {}
            Err(error) => error!(%error, "an errback cannot be read"),
        }
    }
}
