//! Who has a task that the worker which got it does not have.

use client::{Answers, Client, TaskError};
use protocol::Value;

use crate::error::Error;

/// What a worker stores for a task that it does not have.
const NOT_REGISTERED: &str = "NotRegistered";

/// Whether the task failed because its worker does not have it.
pub(crate) fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Task(TaskError::Failed { exception, .. }) if exception.0.exc_type == NOT_REGISTERED)
}

/// An error that says which running workers have the task, and what they consume.
pub(crate) async fn explain(client: &Client, task: &str) -> Error {
    let inspect = client.control().inspect();
    // Only advice: that nobody answers must not hide the error itself.
    let (registered, queues) = tokio::join!(inspect.registered(), inspect.active_queues());
    let (registered, queues) = (registered.unwrap_or_default(), queues.unwrap_or_default());
    Error::NotRegistered {
        task: task.to_owned(),
        advice: advice(task, &registered, &queues),
    }
}

fn advice(task: &str, registered: &Answers, queues: &Answers) -> String {
    let has_it = |tasks: &Value| texts(tasks).any(|name| name.split(' ').next() == Some(task));
    let owners = registered.iter().filter(|(_, tasks)| has_it(tasks));
    let owners: Vec<_> = owners
        .map(|(node, _)| format!("{node} has it and consumes {}", consumed(queues.get(node))))
        .collect();
    if owners.is_empty() {
        return "no running worker has it".to_owned();
    }
    let owners = owners.join("; ");
    format!("{owners}: name a queue with --queue, or set task_routes")
}

fn consumed(queues: Option<&Value>) -> String {
    let queues = queues.and_then(Value::as_list).unwrap_or_default();
    let names = queues
        .iter()
        .filter_map(|queue| queue.get("name")?.as_str());
    names.collect::<Vec<_>>().join(",")
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_list()
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
}
