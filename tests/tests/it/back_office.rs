//! The finance back office as a whole: all five systems' tasks by name from Python, their schedules, and kills.

mod bad_input;
mod calls;
mod database;
mod held_time;
mod kills;
mod schedules;
mod system;

use std::collections::BTreeSet;

use serde_json::Value;

use calls::{CALLS, Call, Expected};
use system::{System, specified_tasks};

/// The calls under way at a time are few enough for two slow cores.
#[tokio::test(flavor = "multi_thread")]
async fn every_task_runs_for_a_python_producer_by_position_and_by_keyword() {
    let mut system = System::start();
    system.start_worker().await;
    let by_alias = aliases();
    let calls = CALLS.iter().chain(&by_alias).flat_map(Call::both_ways);
    let calls: Vec<Call> = calls.collect();
    let answers = system.call_from_python("walk", &calls);
    assert_eq!(answers.len(), calls.len());
    let mut wrong = Vec::new();
    for (call, answer) in calls.iter().zip(&answers) {
        if let Err(why) = as_specified(call, answer) {
            wrong.push(format!(
                "{}{} {}: {why}\n  {answer}",
                call.task, call.args, call.kwargs
            ));
        }
    }
    println!(
        "{} calls of {} names",
        calls.len(),
        CALLS.len() + by_alias.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The same calls by the other names of tasks that have no line of their own.
fn aliases() -> Vec<Call> {
    let lines = |name: &str| CALLS.iter().find(|call| call.task == name);
    let specified = specified_tasks();
    let others = specified.iter().flat_map(|task| {
        let call = lines(task["name"].as_str().unwrap()).unwrap();
        let others = names(task).into_iter().filter(|name| lines(name).is_none());
        others.map(|name| Call {
            task: name.leak(),
            ..*call
        })
    });
    others.collect()
}

/// What the specification says about the answer to a call.
fn as_specified(call: &Call, answer: &Value) -> Result<(), String> {
    let (state, result) = (
        answer["state"].as_str().unwrap_or_default(),
        &answer["result"],
    );
    match call.expected {
        Expected::Failure(exception) if state == "FAILURE" && result["exception"] == exception => {
            return Ok(());
        }
        Expected::Failure(exception) => return Err(format!("{state} is no {exception}")),
        _ if state != "SUCCESS" => return Err(format!("the state is {state}")),
        Expected::Literal(literal) => {
            let wanted: Value = serde_json::from_str(literal).expect("a literal is JSON");
            return (*result == wanted)
                .then_some(())
                .ok_or_else(|| format!("the result is not {literal}"));
        }
        Expected::Envelope => {}
    }
    envelope(call, result)
}

fn envelope(call: &Call, result: &Value) -> Result<(), String> {
    if result["task"] != call.task {
        return Err("the envelope names another task".to_owned());
    }
    for field in ["as_of", "duration_ms", "warnings", "errors"] {
        result
            .get(field)
            .ok_or_else(|| format!("the envelope lacks {field}"))?;
    }
    let status = result["status"].as_str().unwrap_or_default();
    let fields = match status {
        "success" | "partial" | "empty" => result_fields(call.task),
        "skipped" => vec!["reason".to_owned()],
        other => return Err(format!("the status is {other:?}")),
    };
    for field in fields {
        // The last day is the envelope's.
        if field != "as_of" && result["data"].get(&field).is_none() {
            return Err(format!("its data lacks {field}"));
        }
    }
    Ok(())
}

/// The fields that the specification lists for a task.
fn result_fields(name: &str) -> Vec<String> {
    let tasks = specified_tasks();
    let task = tasks.iter().find(|task| names(task).contains(name));
    let fields = task.unwrap_or_else(|| panic!("{name} is not specified"))["result"].as_array();
    let fields = fields.into_iter().flatten();
    fields
        .filter_map(|field| field.as_str().map(str::to_owned))
        .collect()
}

fn names(task: &Value) -> BTreeSet<String> {
    let aliases = task["aliases"].as_array().into_iter().flatten();
    let all = aliases.chain([&task["name"]]);
    all.filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}

#[test]
fn every_name_of_the_specification_is_called() {
    let by_alias = aliases();
    let called: BTreeSet<&str> = CALLS
        .iter()
        .chain(&by_alias)
        .map(|call| call.task)
        .collect();
    for task in specified_tasks() {
        for name in names(&task) {
            assert!(called.contains(name.as_str()), "{name}");
        }
    }
}
