//! Which tasks of the schedule no running worker has.

use std::collections::HashSet;

use client::Answers;
use protocol::Value;

use super::entries::Schedule;
use crate::context::Context;
use crate::error::Error;

/// What the running workers have.
#[derive(Debug)]
pub(super) struct Registered {
    /// None while no worker runs: then nobody knows.
    tasks: Option<HashSet<String>>,
}

impl Registered {
    /// Asks the workers; that takes as long as the slowest may take. Not without entries.
    pub(super) async fn ask(schedule: &Schedule, context: &Context) -> Result<Self, Error> {
        if schedule.file.entries.is_empty() {
            return Ok(Self { tasks: None });
        }
        let client = context.client_on(schedule.backends.clone())?;
        let inspect = client.control().inspect();
        let answers = inspect.registered_with(&[], true).await?;
        Ok(Self::of(&answers))
    }

    fn of(answers: &Answers) -> Self {
        let lists = answers.values().filter_map(Value::as_list);
        let tasks: HashSet<String> = lists.flatten().filter_map(name).collect();
        Self {
            tasks: Some(tasks).filter(|tasks| !tasks.is_empty()),
        }
    }

    /// Whether workers run and none of them has the task.
    pub(super) fn is_unknown(&self, task: &str) -> bool {
        let tasks = self.tasks.as_ref();
        !task.is_empty() && tasks.is_some_and(|tasks| !tasks.contains(task))
    }
}

/// Workers may add options to a name.
fn name(task: &Value) -> Option<String> {
    let text = task.as_str()?;
    text.split(' ').next().map(str::to_owned)
}
