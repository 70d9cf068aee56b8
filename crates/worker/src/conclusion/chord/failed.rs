//! Chords that fail: `ChordError` for the body, its errbacks, the rest of its chain, and whoever counts on it.

use std::sync::Arc;

use client::canvas::Lineage;
use protocol::{ExceptionInfo, Signature, TaskRequest, Value};

use crate::Failure;
use crate::conclusion::chain::fail_steps;
use crate::conclusion::errbacks;
use crate::conclusion::sequel::Sequel;
use crate::engine::Engine;

/// Why a chord's body is not called.
#[derive(Clone, Debug)]
pub(crate) struct ChordFailure {
    /// What a body is told: `ChordError`.
    pub(crate) error: Box<Failure>,
    /// What the members of a body that is a group are told: the error behind it.
    pub(crate) cause: Box<Failure>,
}

impl ChordFailure {
    /// A chord error with this text and nothing behind it.
    pub(crate) fn of(text: String) -> Self {
        let error = Box::new(Failure::celery("ChordError", vec![text.into()]));
        Self {
            cause: error.clone(),
            error,
        }
    }

    /// A member has not succeeded.
    pub(crate) fn dependency(task_id: &str, result: &Value) -> Self {
        let exception = exception(result);
        let text = format!("Dependency {task_id} raised {}", exception.repr());
        Self::because(text, exception)
    }

    /// As [`ChordFailure::dependency`], of a header with groups in it.
    pub(crate) fn join(result: &Value) -> Self {
        Self::of(format!("Join error: {}", exception(result).repr()))
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
    for (id, called) in bodies(body, is_group) {
        let request = request_of(&called, &id, lineage);
        let errbacks = errbacks::linked(&called, is_group.then_some(body));
        sequel.append(errbacks::call(engine, &errbacks, &request, told));
    }
    sequel
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
        .map(|called| {
            (
                called.text_option("task_id").unwrap_or_default().to_owned(),
                called,
            )
        })
        .collect()
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
