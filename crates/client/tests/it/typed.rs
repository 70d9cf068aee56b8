//! Canvas with types: what fits compiles, and what it sends is what the untyped canvas sends.

use broker::MemoryBroker;
use client::canvas::{Anything, Nothing, Step, Takes, group, typed};
use client::{Client, ClientError, ClientOptions, chain, first_argument};
use protocol::{Signature, Value};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Add {
    x: i64,
    y: i64,
}

first_argument!(Add, x: i64);

#[derive(Serialize, Deserialize)]
struct Sum {
    values: Vec<i64>,
}

first_argument!(Sum, values: Vec<i64>);

#[derive(Serialize)]
struct Misplaced {
    first: i64,
    second: i64,
}

first_argument!(Misplaced, second: i64);

fn add(x: i64, y: i64) -> Step<Nothing, i64> {
    Step::of("demo.add", &Add { x, y })
}

fn plus(y: i64) -> Step<Takes<i64>, i64> {
    Step::partial("demo.add", &Add { x: 0, y })
}

fn sum() -> Step<Takes<Vec<i64>>, i64> {
    Step::partial("demo.tsum", &Sum { values: vec![] })
}

#[test]
fn a_partial_step_leaves_its_first_argument_out() {
    let signature = plus(2).into_signature().unwrap();
    assert_eq!(signature.kwargs, protocol::Map::from_iter([("y", 2_i64)]));
    let whole = plus(2).with(&1).into_signature().unwrap();
    assert_eq!(whole.args, [Value::Int(1)]);
}

#[test]
fn only_the_first_field_can_be_left_out() {
    let misplaced = Misplaced {
        first: 1,
        second: 2,
    };
    let step: Step<Takes<i64>, i64> = Step::partial("demo.misplaced", &misplaced);
    let error = step.into_signature().unwrap_err();
    assert!(matches!(error, ClientError::NotTheFirstArgument { .. }));
    assert_eq!(
        error.to_string(),
        "second is not the first argument of demo.misplaced"
    );
}

#[test]
fn a_group_that_a_step_follows_is_a_chord() {
    let flow: Step<Nothing, i64> =
        chain![add(1, 1), typed::group([plus(2), plus(3)]), sum(), plus(9)];
    let untyped = client::canvas::chain([
        add(1, 1).into_signature().unwrap(),
        client::canvas::group([plus(2), plus(3)].map(|step| step.into_signature().unwrap()))
            .unwrap(),
        sum().into_signature().unwrap(),
        plus(9).into_signature().unwrap(),
    ]);
    assert_eq!(flow.into_signature().unwrap(), untyped.unwrap());
}

#[test]
fn a_step_that_takes_nothing_leaves_the_result_out() {
    let flow = add(1, 1).then(add(2, 2)).into_signature().unwrap();
    let tasks = flow.kwargs.get("tasks").and_then(Value::as_list).unwrap();
    let immutable = |task: &Value| task.get("immutable").and_then(Value::as_bool);
    assert_eq!(immutable(&tasks[0]), Some(false));
    assert_eq!(immutable(&tasks[1]), Some(true));
}

#[test]
fn untyped_steps_fit_everywhere() {
    let any: Step<Anything, Value> = Signature::new("demo.any").into();
    let flow: Step<Nothing, String> = chain![add(1, 1), any.cast::<String>()];
    assert!(flow.into_signature().is_ok());
}

#[tokio::test]
async fn a_step_gives_a_task_and_a_group_a_group() {
    let broker = MemoryBroker::new();
    let client = Client::new(broker.backends(), ClientOptions::default());
    let flow = chain![add(1, 1), plus(2)].task_id("last");
    let result = flow.apply(&client).await.unwrap();
    assert_eq!(result.id(), "last");
    assert!(result.parent().is_some());
    let members = typed::group([add(1, 1), add(2, 2)])
        .apply(&client)
        .await
        .unwrap();
    assert_eq!(members.len(), 2);
    let group = group([Signature::new("a"), Signature::new("b")]).unwrap();
    let ends_in_a_group = Step::from(group).apply(&client).await;
    assert!(matches!(ends_in_a_group, Err(ClientError::EndsInAGroup)));
    let chunks = Step::<_, i64>::chunks("demo.add", (0..5).map(|n| Add { x: n, y: n }), 2);
    assert_eq!(chunks.apply(&client).await.unwrap().len(), 3);
}
