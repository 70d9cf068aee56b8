//! What becomes of the tasks that will not run because of this one: none of them may stay pending for ever.

use protocol::{Signature, State, TaskMeta, TaskRequest, Value};
use tracing::error;

use super::meta::finished;
use crate::Failure;

/// The failures of every later step of the request's chain, under their ids.
pub(crate) fn fail_rest(request: &TaskRequest, failure: &Failure) -> Vec<TaskMeta> {
    let steps = request.embed.chain.as_deref().unwrap_or_default();
    let mut metas = Vec::with_capacity(steps.len());
    for step in steps {
        fail_step(step, failure, &mut metas);
    }
    metas
}

/// The failure of the chord that this task is a member of: its members are not counted by this version, so its body will never
/// be called, and whoever waits for it must be told.
pub(super) fn fail_chord(request: &TaskRequest) -> Vec<TaskMeta> {
    let mut metas = Vec::new();
    if let (Some(_), Some(body)) = (&request.group, &request.embed.chord) {
        let text = "the chord's body is not called: this version does not count chord members";
        error!("{text}");
        let failure = Failure::builtin("NotImplementedError", vec![text.into()]);
        fail_step(body, &failure, &mut metas);
    }
    metas
}

fn fail_step(step: &Signature, failure: &Failure, metas: &mut Vec<TaskMeta>) {
    if let Some(id) = step.text_option("task_id") {
        let mut meta = TaskMeta::new(id, State::Failure, Value::from(&failure.exception));
        meta.traceback.clone_from(&failure.traceback);
        meta.group_id = step.text_option("group_id").map(str::to_owned);
        metas.push(finished(meta));
    }
    match step.subtask_type.as_deref() {
        Some("group" | "chain") => {
            fail_members(
                step.kwargs.get("tasks").and_then(Value::as_list),
                failure,
                metas,
            );
        }
        Some("chord") => fail_members(
            step.kwargs.get("body").map(std::slice::from_ref),
            failure,
            metas,
        ),
        _ => {}
    }
}

fn fail_members(tasks: Option<&[Value]>, failure: &Failure, metas: &mut Vec<TaskMeta>) {
    for task in tasks.unwrap_or_default() {
        match Signature::from_value(task.clone()) {
            Ok(step) => fail_step(&step, failure, metas),
            Err(error) => {
                error!(%error, "a later step of the chain cannot be read; its result stays pending")
            }
        }
    }
}
