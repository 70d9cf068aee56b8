//! What is sent when a run has ended: callbacks, the next step of a chain, errbacks, a replacement.

use broker::Publish;
use client::canvas::{Applied, Lineage, apply, group_of};
use client::{ClientError, TaskCall, trace_headers};
use protocol::{ResultTuple, Signature, TaskRequest, Value};
use uuid::Uuid;

use crate::Failure;
use crate::engine::Engine;

/// Messages to publish and the results that they stand for.
#[derive(Debug, Default)]
pub(super) struct Next {
    pub(super) publish: Vec<Publish>,
    pub(super) children: Vec<ResultTuple>,
}

/// Callbacks and the next step of the chain, each with the result in front of its arguments.
pub(super) fn after_success(
    engine: &Engine,
    request: &TaskRequest,
    result: &Value,
) -> Result<Next, Failure> {
    let mut next = Next::default();
    let callbacks = request.embed.callbacks.as_deref().unwrap_or_default();
    let chain = request.embed.chain.as_deref().unwrap_or_default();
    if callbacks.is_empty() && chain.is_empty() {
        return Ok(next);
    }
    let lineage = lineage(engine, request);
    let args = std::slice::from_ref(result);
    for applied in apply_callbacks(callbacks, args, &lineage).map_err(cannot_send)? {
        next.add(engine, applied)?;
    }
    if let [rest @ .., step] = chain {
        let applied = apply(step.clone(), args, rest.to_vec(), &lineage).map_err(cannot_send)?;
        next.add(engine, applied)?;
    }
    Ok(next)
}

/// Errbacks as one group, each with the failed task's id in front of its arguments.
pub(super) fn after_failure(
    engine: &Engine,
    request: &TaskRequest,
) -> Result<Vec<Publish>, Failure> {
    let errbacks = request.embed.errbacks.clone().unwrap_or_default();
    if errbacks.is_empty() {
        return Ok(Vec::new());
    }
    let lineage = lineage(engine, request);
    let args = [Value::from(request.id.as_str())];
    let mut next = Next::default();
    next.add(
        engine,
        group_of(errbacks, &args, &new_id(), &lineage).map_err(cannot_send)?,
    )?;
    Ok(next.publish)
}

/// The task that goes on under the same id, with everything that was to follow.
pub(super) fn replacement(
    engine: &Engine,
    request: &TaskRequest,
    signature: Signature,
) -> Result<Vec<Publish>, Failure> {
    let lineage = Lineage {
        parent_id: request.parent_id.clone(),
        ..lineage(engine, request)
    };
    let chain = request.embed.chain.clone().unwrap_or_default();
    let signature = signature.option("task_id", request.id.as_str());
    let mut applied = apply(signature, &[], chain, &lineage).map_err(cannot_send)?;
    let [call] = applied.calls.as_mut_slice() else {
        return Err(Failure::builtin(
            "ValueError",
            vec!["only a plain task or a chain can replace a task".into()],
        ));
    };
    inherit(call, request);
    let mut next = Next::default();
    next.add(engine, applied)?;
    Ok(next.publish)
}

fn inherit(call: &mut TaskCall, request: &TaskRequest) {
    let options = &mut call.options;
    options.group_id.clone_from(&request.group);
    options.group_index = request.group_index;
    options.replaced_task_nesting = request.replaced_task_nesting.saturating_add(1);
    options.embed.chord.clone_from(&request.embed.chord);
    let callbacks = request.embed.callbacks.iter().flatten().cloned();
    options
        .embed
        .callbacks
        .get_or_insert_default()
        .extend(callbacks);
    let errbacks = request.embed.errbacks.iter().flatten().cloned();
    options
        .embed
        .errbacks
        .get_or_insert_default()
        .extend(errbacks);
}

impl Next {
    fn add(&mut self, engine: &Engine, applied: Applied) -> Result<(), Failure> {
        if !applied.chords.is_empty() {
            let text = "chords are not opened by this version of the worker";
            return Err(Failure::builtin("NotImplementedError", vec![text.into()]));
        }
        self.children.push(applied.child);
        for call in applied.calls {
            let prepared = engine
                .client
                .prepare(call)
                .map_err(|error| Failure::from_error(&error))?;
            self.publish.push(prepared.publish);
        }
        Ok(())
    }
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

fn lineage(engine: &Engine, request: &TaskRequest) -> Lineage {
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

fn cannot_send(error: ClientError) -> Failure {
    let text = format!("cannot send what follows the task: {error}");
    Failure::builtin("NotImplementedError", vec![Value::Str(text)])
}

fn new_id() -> String {
    Uuid::new_v4().to_string()
}
