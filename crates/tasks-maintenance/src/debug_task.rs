//! `dashboard.tasks.debug_task`: what the worker knows about the request.

use std::io::Write;

use protocol::{Map, Value, saferepr};
use serde::{Deserialize, Serialize};
use tasks::catalogue::{DEBUG_TASK, Spec};
use tasks::{Answer, FinanceTask, Run};
use worker::Outcome;

/// Prints and returns the facts of its own request.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DebugTask {}

/// What is known about the request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    task_id: String,
    name: String,
    hostname: String,
    queue: String,
    retries: u32,
    args: Vec<Value>,
    kwargs: Map,
    time: jiff::Timestamp,
}

impl FinanceTask for DebugTask {
    const SPEC: Spec = DEBUG_TASK;
    type Data = Facts;

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<Facts>, Outcome> {
        let ctx = run.ctx();
        let request = ctx.request();
        let facts = Facts {
            task_id: ctx.id().to_owned(),
            name: ctx.name().to_owned(),
            hostname: ctx.hostname().to_owned(),
            queue: ctx.queue().to_owned(),
            retries: ctx.retries(),
            args: request.args.clone(),
            kwargs: request.kwargs.clone(),
            time: jiff::Timestamp::now(),
        };
        print(&facts)?;
        Ok(Answer::Done(facts))
    }
}

fn print(facts: &Facts) -> Result<(), Outcome> {
    let shown = saferepr(&protocol::to_value(facts)?, 1024, 3);
    // A closed standard output is nobody's loss.
    let _ = writeln!(std::io::stdout(), "Request: {shown}");
    Ok(())
}
