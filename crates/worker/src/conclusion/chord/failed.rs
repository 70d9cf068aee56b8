//! Chords that fail: `ChordError` for the body, its errbacks, the rest of its chain, and whoever counts on it.

use std::sync::Arc;

use client::canvas::Lineage;
use protocol::{ExceptionInfo, ResultTuple, Signature, TaskRequest, Value};

use super::Member;
use crate::Failure;
use crate::conclusion::chain::fail_steps;
use crate::conclusion::errbacks;
use crate::conclusion::sequel::Sequel;
use crate::engine::Engine;

/// The field of a failed body's exception map that lists the errbacks that need not be called again. Ours.
const CALLED: &str = "called_errbacks";

/// Why a chord's body is not called.
#[derive(Clone, Debug)]
pub(crate) struct ChordFailure {
    /// What a body is told: `ChordError`.
    pub(crate) error: Box<Failure>,
    /// What the members of a body that is a group are told: the error behind it.
    pub(crate) cause: Box<Failure>,
    /// Errbacks that were called for this failure before.
    called: Vec<Signature>,
}

impl ChordFailure {
    /// A chord error with this text and nothing behind it.
    pub(crate) fn of(text: String) -> Self {
        let error = Box::new(Failure::celery("ChordError", vec![text.into()]));
        Self {
            cause: error.clone(),
            error,
            called: Vec::new(),
        }
    }

    /// A member has not succeeded.
    pub(crate) fn dependency(task_id: &str, result: &Value) -> Self {
        let exception = exception(result);
        let text = format!("Dependency {task_id} raised {}", exception.repr());
        Self {
            called: called_errbacks(result),
            ..Self::because(text, exception)
        }
    }

    /// As [`ChordFailure::dependency`], of a header with groups in it.
    pub(crate) fn join(result: &Value) -> Self {
        Self {
            called: called_errbacks(result),
            ..Self::of(format!("Join error: {}", exception(result).repr()))
        }
    }

    /// The body cannot be sent.
    pub(crate) fn callback(failure: Failure) -> Self {
        let text = format!("Callback error: {}", failure.exception.repr());
        Self::because(text, failure.exception)
    }

    fn because(text: String, exception: ExceptionInfo) -> Self {
        let cause = Box::new(Failure {
            exception,
            traceback: None,
        });
        Self {
            cause,
            ..Self::of(text)
        }
    }
}

/// The exception that a member has left; anything else is shown as it is.
fn exception(result: &Value) -> ExceptionInfo {
    ExceptionInfo::from_value(result)
        .unwrap_or_else(|| ExceptionInfo::new("builtins", "Exception", result.clone()))
}

fn called_errbacks(result: &Value) -> Vec<Signature> {
    let noted = result.get(CALLED).and_then(Value::as_list);
    let noted = noted.unwrap_or_default().iter().cloned();
    noted
        .filter_map(|errback| Signature::from_value(errback).ok())
        .collect()
}

/// What follows when the body will never be called.
pub(crate) fn fail_body(
    engine: &Arc<Engine>,
    body: &Signature,
    failure: &ChordFailure,
    lineage: &Arc<Lineage>,
) -> Sequel {
    let is_group = body.subtask_type.as_deref() == Some("group");
    let told = if is_group {
        &failure.cause
    } else {
        &failure.error
    };
    let steps = std::slice::from_ref(body);
    let mut sequel = fail_steps(engine, steps, told, || Arc::clone(lineage));
    sequel.effects.keep_parts = true;
    let mut called = failure.called.clone();
    for (id, task) in bodies(body, is_group) {
        let mut errbacks = errbacks::linked(&task, is_group.then_some(body));
        errbacks.retain(|errback| !failure.called.contains(errback));
        let request = request_of(&task, &id, lineage);
        let calls = errbacks::call(engine, &errbacks, &request, told);
        has_sent(&mut sequel, &id, &calls.children);
        sequel.append(calls);
        called.extend(errbacks);
    }
    sequel
        .members
        .iter_mut()
        .for_each(|outer| note_called(outer, &called));
    sequel
}

/// The errbacks are the children of the task that they were called for.
fn has_sent(sequel: &mut Sequel, id: &str, children: &[ResultTuple]) {
    let metas = sequel.effects.metas.iter_mut();
    for meta in metas.filter(|meta| meta.task_id == id) {
        meta.children = Some(children.to_vec());
    }
}

/// Notes in the part of an outer chord which of its errbacks were called for the inner one: `link_error` of a chord links the chords
/// in its header as well, and a failure should be told once.
fn note_called(outer: &mut Member, called: &[Signature]) {
    let Some(body) = &outer.body else { return };
    let mut both = errbacks::linked(body, None);
    both.retain(|errback| called.contains(errback));
    if let (false, Value::Map(exception)) = (both.is_empty(), &mut outer.part.result) {
        exception.insert(CALLED, both);
    }
}

/// The tasks whose errbacks are called: the body, or each member of a body that is a group.
fn bodies(body: &Signature, is_group: bool) -> Vec<(String, Signature)> {
    let members = if is_group {
        let tasks = body.kwargs.get("tasks").and_then(Value::as_list);
        tasks
            .unwrap_or_default()
            .iter()
            .filter_map(|task| Signature::from_value(task.clone()).ok())
            .collect()
    } else {
        vec![body.clone()]
    };
    members
        .into_iter()
        .map(|called| (result_id(&called, is_group), called))
        .collect()
}

/// The id of a task, or of the result of a member of a group: a chord gives what its body gives.
fn result_id(task: &Signature, is_member: bool) -> String {
    let is_chord = is_member && task.subtask_type.as_deref() == Some("chord");
    let body = task.kwargs.get("body").filter(|_| is_chord).cloned();
    match body.and_then(|body| Signature::from_value(body).ok()) {
        Some(body) => result_id(&body, is_member),
        None => task.text_option("task_id").unwrap_or_default().to_owned(),
    }
}

/// The call that was not made, as errbacks see it.
fn request_of(body: &Signature, id: &str, lineage: &Lineage) -> TaskRequest {
    TaskRequest {
        id: id.to_owned(),
        task: body.task.clone(),
        args: body.args.clone(),
        kwargs: body.kwargs.clone(),
        group: body.text_option("group_id").map(str::to_owned),
        root_id: body.text_option("root_id").map(str::to_owned),
        extra: lineage.headers.clone(),
        ..TaskRequest::default()
    }
}
