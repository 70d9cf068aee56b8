//! `dashboard.tasks.debug_task`: what the worker knows about the request.

use std::io::Write;

use portfolio::analytics::Envelope;
use protocol::{Map, Value, saferepr};
use serde::{Deserialize, Serialize};
use tasks::Run;
use worker::{Arguments, BindError, Context, Outcome, RetryPolicy, Task, TaskOptions};

/// Prints and returns the facts of its own request; takes any arguments.
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

impl Task for DebugTask {
    const NAME: &'static str = "dashboard.tasks.debug_task";
    type Output = Envelope<Facts>;

    fn options() -> TaskOptions {
        TaskOptions {
            queue: Some("default".to_owned()),
            time_limit: Some(30.0),
            soft_time_limit: Some(20.0),
            retry: RetryPolicy {
                max_retries: Some(0),
                ..RetryPolicy::default()
            },
            ..TaskOptions::default()
        }
    }

    fn bind(_: Arguments) -> Result<Self, BindError> {
        Ok(Self {})
    }

    async fn run(self, ctx: &Context) -> Result<Self::Output, Outcome> {
        let run = Run::start(ctx);
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
        Ok(run.end(facts))
    }
}

fn print(facts: &Facts) -> Result<(), Outcome> {
    let shown = saferepr(&protocol::to_value(facts)?, 1024, 3);
    // A closed standard output is nobody's loss.
    let _ = writeln!(std::io::stdout(), "Request: {shown}");
    Ok(())
}
