//! Events about tasks.

use super::{Event, Stamp};
use crate::value::{Map, Value};

/// What a worker says about a task it took.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TaskReceived {
    /// Task id.
    pub uuid: String,
    /// Task name, or its shadow.
    pub name: String,
    /// Positional arguments for people.
    pub args: String,
    /// Keyword arguments for people.
    pub kwargs: String,
    /// First task of the work-flow.
    pub root_id: Option<String>,
    /// The task that sent this one.
    pub parent_id: Option<String>,
    /// How often it was retried before.
    pub retries: u32,
    /// Earliest run time as text.
    pub eta: Option<String>,
    /// Latest start time as text.
    pub expires: Option<String>,
}

/// What a client says about a task it sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TaskSent {
    /// The fields shared with [`TaskReceived`].
    pub task: TaskReceived,
    /// Queue name.
    pub queue: Option<String>,
    /// Exchange.
    pub exchange: String,
    /// Routing key.
    pub routing_key: String,
}

impl Event {
    /// `task-sent`.
    pub fn task_sent(stamp: Stamp<'_>, sent: TaskSent) -> Self {
        let TaskSent {
            task,
            queue,
            exchange,
            routing_key,
        } = sent;
        let mut fields = about(task.uuid, 12);
        fields.insert("root_id", task.root_id);
        fields.insert("parent_id", task.parent_id);
        fields.insert("name", task.name);
        fields.insert("args", task.args);
        fields.insert("kwargs", task.kwargs);
        fields.insert("retries", task.retries);
        fields.insert("eta", task.eta);
        fields.insert("expires", task.expires);
        fields.insert("queue", queue);
        fields.insert("exchange", exchange);
        fields.insert("routing_key", routing_key);
        Self::new(stamp, "task-sent", fields)
    }

    /// `task-received`.
    pub fn task_received(stamp: Stamp<'_>, task: TaskReceived) -> Self {
        let mut fields = about(task.uuid, 9);
        fields.insert("name", task.name);
        fields.insert("args", task.args);
        fields.insert("kwargs", task.kwargs);
        fields.insert("root_id", task.root_id);
        fields.insert("parent_id", task.parent_id);
        fields.insert("retries", task.retries);
        fields.insert("eta", task.eta);
        fields.insert("expires", task.expires);
        Self::new(stamp, "task-received", fields)
    }

    /// `task-started`.
    pub fn task_started(stamp: Stamp<'_>, uuid: &str) -> Self {
        Self::new(stamp, "task-started", about(uuid, 1))
    }

    /// `task-succeeded`, with the result for people and the run time in seconds.
    pub fn task_succeeded(
        stamp: Stamp<'_>,
        uuid: &str,
        result: &str,
        runtime: Option<f64>,
    ) -> Self {
        let mut fields = about(uuid, 3);
        fields.insert("result", result);
        fields.insert("runtime", runtime);
        Self::new(stamp, "task-succeeded", fields)
    }

    /// `task-failed`, with the exception for people; the traceback is left out when `None`.
    pub fn task_failed(
        stamp: Stamp<'_>,
        uuid: &str,
        exception: &str,
        traceback: Option<&str>,
    ) -> Self {
        Self::new(stamp, "task-failed", fault(uuid, exception, traceback))
    }

    /// `task-retried`, with the cause for people; the traceback is left out when `None`.
    pub fn task_retried(
        stamp: Stamp<'_>,
        uuid: &str,
        exception: &str,
        traceback: Option<&str>,
    ) -> Self {
        Self::new(stamp, "task-retried", fault(uuid, exception, traceback))
    }

    /// `task-revoked`; `signum` is a number, a name or null.
    pub fn task_revoked(
        stamp: Stamp<'_>,
        uuid: &str,
        terminated: bool,
        signum: Value,
        expired: bool,
    ) -> Self {
        let mut fields = about(uuid, 4);
        fields.insert("terminated", terminated);
        fields.insert("signum", signum);
        fields.insert("expired", expired);
        Self::new(stamp, "task-revoked", fields)
    }

    /// `task-rejected`.
    pub fn task_rejected(stamp: Stamp<'_>, uuid: &str, requeue: bool) -> Self {
        let mut fields = about(uuid, 2);
        fields.insert("requeue", requeue);
        Self::new(stamp, "task-rejected", fields)
    }

    /// `task-cancelled`.
    pub fn task_cancelled(stamp: Stamp<'_>, uuid: &str) -> Self {
        Self::new(stamp, "task-cancelled", about(uuid, 1))
    }

    /// An event of the user's own about a task.
    pub fn task_custom(stamp: Stamp<'_>, kind: &str, uuid: &str, fields: Map) -> Self {
        let mut all = about(uuid, 1 + fields.len());
        all.extend(fields);
        Self::new(stamp, kind, all)
    }
}

/// The beginning of a map with so many entries.
fn about(uuid: impl Into<Value>, entries: usize) -> Map {
    let mut fields = Map::with_capacity(entries);
    fields.insert("uuid", uuid);
    fields
}

fn fault(uuid: &str, exception: &str, traceback: Option<&str>) -> Map {
    let mut fields = about(uuid, 3);
    fields.insert("exception", exception);
    if let Some(traceback) = traceback {
        fields.insert("traceback", traceback);
    }
    fields
}
