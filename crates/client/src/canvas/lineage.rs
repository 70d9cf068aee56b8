//! What new tasks inherit from the one that sends them, and what expansion must know of the application.

use protocol::{Map, Value};

use crate::CallOptions;
use crate::prepare::new_id;

/// What a new task inherits from the one that sends it.
#[derive(Clone, Debug, Default)]
pub struct Lineage {
    /// The task that sends.
    pub parent_id: Option<String>,
    /// The first task of the work-flow.
    pub root_id: Option<String>,
    /// Its priority, with `task_inherit_parent_priority`.
    pub priority: Option<u8>,
    /// Headers that travel with the work-flow, such as `traceparent`.
    pub headers: Map,
    /// What holds for the whole application; see [`Client::canvas_rules`](crate::Client::canvas_rules).
    pub rules: Rules,
}

/// What expansion must know of the application.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Where `rpc://` results of steps go that are sent later.
    pub reply_to: Option<String>,
    /// Who brings a chord's members together.
    pub chords: Chords,
    /// Errbacks of a chord are also linked to the tasks of its header.
    pub task_allow_error_cb_on_chord_header: bool,
}

/// Who brings a chord's members together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Chords {
    /// The result backend counts them.
    #[default]
    Joined,
    /// The task `celery.chord_unlock` looks at them again and again.
    Polled,
    /// Nobody: there is no result backend.
    Refused,
}

impl Lineage {
    /// As options that are given to `apply_async`.
    pub(super) fn options(&self) -> Map {
        let mut options = Map::new();
        for (name, id) in [("parent_id", &self.parent_id), ("root_id", &self.root_id)] {
            if let Some(id) = id {
                options.insert(name, id.as_str());
            }
        }
        if let Some(priority) = self.priority {
            options.insert("priority", Value::Int(priority.into()));
        }
        options
    }

    /// Gives a call what it inherits, and an id if it has none yet; returns the id.
    pub(super) fn give_to(&self, options: &mut CallOptions) -> String {
        options.parent_id = self.parent_id.clone().or(options.parent_id.take());
        options.root_id = self.root_id.clone().or(options.root_id.take());
        options.priority = self.priority.or(options.priority);
        for (name, value) in &self.headers {
            if !options.headers.contains_key(name) {
                options.headers.insert(name, value.clone());
            }
        }
        options.task_id.get_or_insert_with(new_id).clone()
    }
}
