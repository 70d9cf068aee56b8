//! Tasks that tell what their request says.

use protocol::{Map, Value, timestamp_text};
use worker::{Context, TaskOptions};

use crate::task::task;

task! {
    /// Root, parent and the argument.
    fn ids(ctx, i: Value) -> Value { Ok(lineage(ctx, i)) }
}

task! {
    /// The result before it, with root, parent and the argument.
    fn collect_ids(ctx, res: Value, i: Value) -> (Value, Value) { Ok((res, lineage(ctx, i))) }
}

task! {
    /// The message's priority in words.
    fn return_priority(ctx, *_arguments) -> String {
        let priority = ctx.request().priority.map_or_else(|| "None".to_owned(), |priority| priority.to_string());
        Ok(format!("Priority: {priority}"))
    }
}

task! {
    /// The time before which it was not to run.
    fn return_request_eta(ctx) -> Option<String> { Ok(ctx.request().eta.map(timestamp_text)) }
}

task! {
    /// The message's properties.
    fn return_properties(ctx) -> Map { Ok(ctx.request().properties.clone()) }
}

task! {
    /// The time limits of the message.
    fn return_request_time_limits(ctx) -> Map { Ok(time_limits(ctx, &TaskOptions::default())) }
}

task! {
    /// The time limits of the message, or its own.
    [TaskOptions { time_limit: Some(60.0), soft_time_limit: Some(45.0), ..TaskOptions::default() }]
    fn task_with_declared_time_limits(ctx) -> Map {
        Ok(time_limits(ctx, &<Self as worker::Task>::options()))
    }
}

fn lineage(ctx: &Context, i: Value) -> Value {
    let request = ctx.request();
    Value::List(vec![
        request.root_id.clone().into(),
        request.parent_id.clone().into(),
        i,
    ])
}

fn time_limits(ctx: &Context, declared: &TaskOptions) -> Map {
    let limits = ctx.request().timelimit;
    let hard = limits.hard.or(declared.time_limit);
    let soft = limits.soft.or(declared.soft_time_limit);
    Map::from_iter([("time_limit", hard), ("soft_time_limit", soft)])
}
