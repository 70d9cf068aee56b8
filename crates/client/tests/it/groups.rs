//! The results of groups, and of trees.

use std::time::Duration;

use broker::{MemoryBroker, ResultBackend};
use client::canvas::{chain, group};
use client::{Client, ClientOptions, GroupResult, TaskError};
use protocol::{ExceptionInfo, ResultTuple, Signature, State, TaskMeta, Value};

const DEADLINE: Duration = Duration::from_secs(20);

fn open() -> (MemoryBroker, Client) {
    let broker = MemoryBroker::new();
    let client = Client::new(broker.backends(), ClientOptions::default());
    (broker, client)
}

async fn members(client: &Client, ids: &[&str]) -> GroupResult<i64> {
    let members = ids
        .iter()
        .map(|id| Signature::new("a").option("task_id", *id));
    let result = client.apply(group(members).unwrap()).await.unwrap();
    result.into_group().unwrap().cast()
}

async fn succeed(broker: &MemoryBroker, id: &str, value: i64) {
    let meta = TaskMeta::new(id, State::Success, Value::Int(value));
    broker.store(vec![meta]).await.unwrap();
}

async fn fail(broker: &MemoryBroker, id: &str) {
    let exception = Value::from(&ExceptionInfo::new("builtins", "ValueError", "bad"));
    let meta = TaskMeta::new(id, State::Failure, exception);
    broker.store(vec![meta]).await.unwrap();
}

#[tokio::test]
async fn members_are_joined_in_order_whenever_they_end() {
    let (broker, client) = open();
    let group = members(&client, &["m-1", "m-2", "m-3"]).await;
    let joining = tokio::spawn({
        let group = group.clone();
        async move { group.join(DEADLINE).await }
    });
    succeed(&broker, "m-3", 3).await;
    assert!(group.waiting().await.unwrap());
    assert_eq!(group.completed_count().await.unwrap(), 1);
    succeed(&broker, "m-1", 1).await;
    succeed(&broker, "m-2", 2).await;
    assert_eq!(joining.await.unwrap().unwrap(), [1, 2, 3]);
    assert!(group.successful().await.unwrap() && group.ready().await.unwrap());
    group.forget().await.unwrap();
    assert_eq!(group.completed_count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_failure_is_raised_or_stands_in_its_place() {
    let (broker, client) = open();
    let group = members(&client, &["m-1", "m-2"]).await;
    fail(&broker, "m-2").await;
    let error = group.join(DEADLINE).await.unwrap_err();
    assert!(matches!(error, TaskError::Failed { .. }), "{error}");
    assert!(group.failed().await.unwrap());
    succeed(&broker, "m-1", 1).await;
    let outcomes = group.join_all(DEADLINE).await.unwrap();
    assert_eq!(*outcomes[0].as_ref().unwrap(), 1);
    assert_eq!(
        outcomes[1].as_ref().unwrap_err().to_string(),
        "ValueError: bad"
    );
    assert!(!group.successful().await.unwrap() && !group.waiting().await.unwrap());
}

#[tokio::test]
async fn members_are_given_as_they_end() {
    let (broker, client) = open();
    let group = members(&client, &["m-1", "m-2"]).await;
    let mut completed = group.as_completed(DEADLINE).await.unwrap();
    for (id, value) in [("m-2", 2), ("m-1", 1)] {
        succeed(&broker, id, value).await;
        let (member, output) = completed.next().await.unwrap().unwrap();
        assert_eq!((member.id(), output.unwrap()), (id, value));
    }
    assert!(completed.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_group_that_is_late_names_who_is_missing() {
    let (broker, client) = open();
    let group = members(&client, &["m-1", "m-2"]).await;
    succeed(&broker, "m-1", 1).await;
    let error = group.join(Duration::from_millis(20)).await.unwrap_err();
    assert!(
        matches!(&error, TaskError::Timeout { id, .. } if id == "m-2"),
        "{error}"
    );
}

#[tokio::test]
async fn an_empty_group_is_ready_at_once() {
    let (_broker, client) = open();
    let group = members(&client, &[]).await;
    assert!(group.join(DEADLINE).await.unwrap().is_empty());
    assert!(group.ready().await.unwrap());
}

#[tokio::test]
async fn a_saved_group_is_found_by_its_id() {
    let (broker, client) = open();
    let group = members(&client, &["m-1", "m-2"]).await;
    assert!(
        client
            .restore_group::<i64>(group.id())
            .await
            .unwrap()
            .is_none()
    );
    group.save().await.unwrap();
    for (id, value) in [("m-1", 1), ("m-2", 2)] {
        succeed(&broker, id, value).await;
    }
    let restored = client
        .restore_group::<i64>(group.id())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(restored.task_ids(), ["m-1", "m-2"]);
    assert_eq!(restored.join(DEADLINE).await.unwrap(), [1, 2]);
    restored.delete().await.unwrap();
    let gone = client.restore_group::<i64>(group.id()).await.unwrap();
    assert!(gone.is_none());
}

#[tokio::test]
async fn a_group_in_a_group_gives_a_list_in_a_list() {
    let (broker, client) = open();
    let tuple = ResultTuple::group(
        "outer",
        vec![
            ResultTuple::task("m-1"),
            ResultTuple::group(
                "inner",
                vec![ResultTuple::task("m-2"), ResultTuple::task("m-3")],
            ),
        ],
    );
    broker
        .save_group("outer", Value::from(&tuple))
        .await
        .unwrap();
    for (id, value) in [("m-1", 1), ("m-2", 2), ("m-3", 3)] {
        succeed(&broker, id, value).await;
    }
    let group = client
        .restore_group::<Value>("outer")
        .await
        .unwrap()
        .unwrap();
    let values = group.join(DEADLINE).await.unwrap();
    assert_eq!(values, [Value::Int(1), Value::from(vec![2_i64, 3])]);
    assert_eq!(group.completed_count().await.unwrap(), 2);
}

fn steps(ids: &[&str]) -> Signature {
    chain(
        ids.iter()
            .map(|id| Signature::new("a").option("task_id", *id)),
    )
    .unwrap()
}

#[tokio::test]
async fn the_failure_of_an_earlier_step_is_raised() {
    let (broker, client) = open();
    let result = client.apply(steps(&["s-1", "s-2", "s-3"])).await.unwrap();
    assert_eq!(result.id(), "s-3");
    let parent = result.parent().unwrap();
    assert_eq!(parent.id(), "s-2");
    assert_eq!(parent.parent().unwrap().id(), "s-1");
    assert!(parent.parent().unwrap().parent().is_none());
    fail(&broker, "s-1").await;
    let error = result.get(DEADLINE).await.unwrap_err();
    assert_eq!(error.to_string(), "ValueError: bad");
}

#[tokio::test]
async fn a_tree_is_collected_from_the_sender_to_the_sent() {
    let (broker, client) = open();
    let mut root = TaskMeta::new("root", State::Success, Value::Int(1));
    let leaves = vec![ResultTuple::task("l-1"), ResultTuple::task("l-2")];
    root.children = Some(vec![ResultTuple::group("g", leaves)]);
    broker.store(vec![root]).await.unwrap();
    succeed(&broker, "l-1", 2).await;
    succeed(&broker, "l-2", 3).await;
    let result = client::CanvasResult::Task(client.result("root"));
    let collected = result.collect(DEADLINE).await.unwrap();
    let ids: Vec<_> = collected.iter().map(|(result, _)| result.id()).collect();
    assert_eq!(ids, ["root", "g", "l-1", "l-2"]);
    assert_eq!(collected[1].1, Value::from(vec![2_i64, 3]));
}
