//! What is sent when a run has succeeded: callbacks, and the next step of the chain.

use client::canvas::{Applied, Lineage, apply, group_of};
use client::{ClientError, trace_headers};
use protocol::{Chain, Signature, TaskRequest, Value};
use uuid::Uuid;

use super::sequel::{Sequel, cannot_send, malformed};
use crate::Failure;
use crate::engine::Engine;

/// Callbacks and the next step of the chain, each with the result in front of its arguments.
pub(super) fn after_success(
    engine: &Engine,
    request: &TaskRequest,
    result: &Value,
) -> Result<Sequel, Failure> {
    let mut sequel = Sequel::default();
    let callbacks = request.embed.callbacks.as_deref().unwrap_or_default();
    let chain = request.embed.chain.as_ref();
    if callbacks.is_empty() && chain.is_none_or(Chain::is_empty) {
        return Ok(sequel);
    }
    let lineage = lineage(engine, request);
    let args = std::slice::from_ref(result);
    for applied in apply_callbacks(callbacks, args, &lineage).map_err(cannot_send)? {
        sequel.add(engine, applied)?;
    }
    let next = chain.map(Chain::split_next).transpose();
    if let Some((step, rest)) = next.map_err(malformed)?.flatten() {
        let applied = apply(step, args, rest, &lineage).map_err(cannot_send)?;
        sequel.add(engine, applied)?;
    }
    Ok(sequel)
}

/// One callback is applied as it is; of several, groups one by one and the plain ones together as one group.
fn apply_callbacks(
    callbacks: &[Signature],
    args: &[Value],
    lineage: &Lineage,
) -> Result<Vec<Applied>, ClientError> {
    if let [single] = callbacks {
        return Ok(vec![apply(single.clone(), args, Vec::new(), lineage)?]);
    }
    let (groups, plain): (Vec<_>, Vec<_>) = callbacks
        .iter()
        .cloned()
        .partition(|callback| callback.subtask_type.as_deref() == Some("group"));
    let mut applied = Vec::with_capacity(groups.len() + 1);
    for group in groups {
        applied.push(apply(group, args, Vec::new(), lineage)?);
    }
    if !plain.is_empty() {
        applied.push(group_of(plain, args, &new_id(), lineage)?);
    }
    Ok(applied)
}

/// What a task hands down to those that it sends.
pub(crate) fn lineage(engine: &Engine, request: &TaskRequest) -> Lineage {
    let priority = request
        .priority
        .and_then(|priority| u8::try_from(priority).ok());
    Lineage {
        parent_id: Some(request.id.clone()),
        root_id: request.root_id.clone().or_else(|| Some(request.id.clone())),
        priority: priority.filter(|_| engine.settings.task_inherit_parent_priority),
        headers: trace_headers(&request.extra),
        rules: engine.client.canvas_rules(),
    }
}

pub(crate) fn new_id() -> String {
    Uuid::new_v4().to_string()
}
