//! Chords: their bodies, their errors, and what befalls their members.

use broker::{Broker, ChordPart, ConsumerParams, Settled, Settlement, Verdict};
use client::AsyncResult;
use protocol::{Limits, Signature, State, Value};
use worker::WorkerSettings;

use crate::flows::{AddTo, Refuse};
use crate::flows::{add, chain, chord, collect, count, fail, group, json, signature, sum};
use crate::support::{Bench, DEADLINE, eventually, exception, settings, state};
use crate::tasks::{key, runs};

/// Starts the work-flow.
pub(crate) async fn start(bench: &Bench, flow: Signature) {
    bench.client.apply(flow).await.unwrap();
}

/// The body's value as JSON, once it is there.
async fn value(bench: &Bench, id: &str) -> String {
    let result: AsyncResult<Value> = bench.client.result(id);
    json(&result.get(DEADLINE).await.unwrap())
}

/// The exception that the task ends with, and its message.
pub(crate) async fn failure(bench: &Bench, id: &str) -> (String, String) {
    let result: AsyncResult<Value> = bench.client.result(id);
    exception(&state(&result, &State::Failure).await)
}

pub(crate) fn id(signature: Signature, id: &str) -> Signature {
    signature.option("task_id", id)
}

#[tokio::test]
async fn the_body_gets_the_results_in_the_order_of_the_header() {
    let bench = Bench::new();
    let worker = bench.worker(settings(3)).await;
    start(
        &bench,
        chord([sum(1, 1), sum(2, 2), sum(3, 3)], collect("body")),
    )
    .await;
    assert_eq!(value(&bench, "body").await, "[[2, 4, 6]]");
    worker.stop().await;
}

#[tokio::test]
async fn an_empty_header_calls_the_body_at_once() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    start(&bench, chord([], collect("body"))).await;
    assert_eq!(value(&bench, "body").await, "[[]]");
    worker.stop().await;
}

#[tokio::test]
async fn steps_after_a_chord_get_what_its_body_gives() {
    let bench = Bench::new();
    let worker = bench.worker(settings(2)).await;
    let flow = chain([
        sum(1, 1),
        group([add(10), add(20)]),
        id(Signature::new("demo.collect"), "body"),
        collect("last"),
    ]);
    start(&bench, flow).await;
    assert_eq!(value(&bench, "last").await, "[[[12, 22]]]");
    worker.stop().await;
}

#[tokio::test]
async fn a_header_with_groups_in_it_keeps_its_structure() {
    let bench = Bench::new();
    let worker = bench.worker(settings(3)).await;
    let header = [
        chain([sum(1, 1), group([add(10), add(20)])]),
        sum(3, 3),
        chord([sum(4, 4)], collect("inner")),
    ];
    start(&bench, chord(header, collect("body"))).await;
    assert_eq!(value(&bench, "body").await, "[[[12, 22], 6, [[8]]]]");
    worker.stop().await;
}

#[tokio::test]
async fn a_failed_member_fails_the_body_and_all_that_was_to_follow() {
    let bench = Bench::new();
    let worker = bench.worker(settings(2)).await;
    let body = collect("body").option("link_error", id(collect("errback"), "errback"));
    let flow = chain([
        chord([sum(1, 1), id(fail("bad"), "culprit")], body),
        collect("after"),
    ]);
    start(&bench, flow).await;
    let (kind, message) = failure(&bench, "body").await;
    assert_eq!(kind, "ChordError");
    assert_eq!(message, "Dependency culprit raised ValueError('bad')");
    assert_eq!(failure(&bench, "after").await.0, "ChordError");
    assert_eq!(value(&bench, "errback").await, r#"["body"]"#);
    worker.stop().await;
}

#[tokio::test]
async fn a_body_may_take_the_errors_of_its_members() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let body = collect("body").option("allow_errors", true);
    start(&bench, chord([sum(1, 1), fail("bad")], body)).await;
    let error = r#"{"exc_type": "ValueError", "exc_message": ["bad"], "exc_module": "builtins"}"#;
    assert_eq!(value(&bench, "body").await, format!("[[2, {error}]]"));
    worker.stop().await;
}

#[tokio::test]
async fn each_member_of_a_body_that_is_a_group_is_told_the_error_itself() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let body = group([collect("b-1"), collect("b-2")]);
    start(&bench, chord([fail("bad")], body)).await;
    for member in ["b-1", "b-2"] {
        let told = failure(&bench, member).await;
        assert_eq!(told, ("ValueError".to_owned(), "bad".to_owned()));
    }
    worker.stop().await;
}

#[tokio::test]
async fn an_inner_chord_that_fails_counts_for_the_outer_one() {
    let bench = Bench::new();
    let worker = bench.worker(settings(2)).await;
    let inner = chord([id(fail("bad"), "culprit"), sum(1, 1)], collect("inner"));
    start(&bench, chord([sum(2, 2), inner], collect("outer"))).await;
    assert_eq!(failure(&bench, "inner").await.0, "ChordError");
    let (kind, message) = failure(&bench, "outer").await;
    assert_eq!(kind, "ChordError");
    assert!(
        message.starts_with("Dependency inner raised ChordError("),
        "{message}"
    );
    worker.stop().await;
}

#[tokio::test]
async fn a_chain_that_fails_before_its_last_step_counts_for_its_chord() {
    let bench = Bench::new();
    let worker = bench.worker(settings(2)).await;
    let header = [chain([fail("bad"), add(1), id(add(2), "never")]), sum(1, 1)];
    start(&bench, chord(header, collect("body"))).await;
    let (_, message) = failure(&bench, "body").await;
    assert_eq!(message, "Dependency never raised ValueError('bad')");
    worker.stop().await;
}

#[tokio::test]
async fn every_member_of_a_group_that_will_not_run_counts() {
    let bench = Bench::new();
    let worker = bench.worker(settings(2)).await;
    let never = group([id(add(1), "n-1"), id(add(2), "n-2"), id(add(3), "n-3")]);
    let header = [chain([fail("bad"), add(1), never]), sum(1, 1)];
    start(&bench, chord(header, collect("body"))).await;
    assert_eq!(failure(&bench, "body").await.0, "ChordError");
    for member in ["n-1", "n-2", "n-3"] {
        assert_eq!(failure(&bench, member).await.0, "ValueError");
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_chord_that_will_not_start_fails_with_its_header_and_its_body() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let later = chord([id(add(1), "h-1"), id(add(2), "h-2")], collect("inner"));
    let header = [chain([fail("bad"), later]), sum(1, 1)];
    start(&bench, chord(header, collect("body"))).await;
    for task in ["h-1", "h-2", "inner"] {
        assert_eq!(failure(&bench, task).await.0, "ValueError", "{task}");
    }
    assert_eq!(failure(&bench, "body").await.0, "ChordError");
    worker.stop().await;
}

#[tokio::test]
async fn whatever_end_a_member_finds_the_body_is_told() {
    let bench = Bench::new();
    let ends = [
        (
            id(sum(1, 1), "m-0").option("expires", 0.000_001),
            "TaskRevokedError('expired')",
        ),
        (
            id(Signature::new("demo.nowhere"), "m-1"),
            "NotRegistered('demo.nowhere')",
        ),
        (id(signature(Refuse), "m-2"), "Reject('no thanks', False)"),
        (
            chain([sum(1, 1).option("expires", 0.000_001), id(add(1), "m-3")]),
            "TaskRevokedError('expired')",
        ),
    ];
    let worker = bench.worker(settings(1)).await;
    for (index, (member, repr)) in ends.into_iter().enumerate() {
        let body = format!("body-{index}");
        start(&bench, chord([member, sum(1, 1)], collect(&body))).await;
        let (_, message) = failure(&bench, &body).await;
        assert_eq!(message, format!("Dependency m-{index} raised {repr}"));
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_member_that_is_revoked_before_it_runs_counts() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let member: AsyncResult<Value> = bench.client.result("m");
    member.revoke(false, "SIGTERM").await.unwrap();
    state(&member, &State::Revoked).await;
    start(
        &bench,
        chord([id(sum(1, 1), "m"), sum(2, 2)], collect("body")),
    )
    .await;
    let (_, message) = failure(&bench, "body").await;
    assert_eq!(message, "Dependency m raised TaskRevokedError('revoked')");
    worker.stop().await;
}

#[tokio::test]
async fn a_body_that_nobody_has_registered_is_parked_and_fails() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let body = id(Signature::new("demo.nowhere"), "body");
    start(&bench, chord([sum(1, 1)], body)).await;
    assert_eq!(failure(&bench, "body").await.0, "NotRegistered");
    worker.stop().await;
}

#[tokio::test]
async fn an_errback_of_a_chord_within_a_body_is_told_the_id_of_its_result() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let errbacks = vec![Value::from(collect("told"))];
    let inner = chord([sum(1, 1)], collect("inner")).option("link_error", errbacks);
    start(&bench, chord([fail("bad")], group([inner, sum(2, 2)]))).await;
    assert_eq!(value(&bench, "told").await, r#"["inner"]"#);
    worker.stop().await;
}

#[tokio::test]
async fn a_member_may_add_to_its_chord() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let added = vec![
        sum(1, 1).into(),
        group([sum(2, 2), sum(3, 3)]).into(),
        chord([sum(4, 4)], Signature::new("demo.collect")).into(),
    ];
    let member = signature(AddTo { signatures: added });
    start(&bench, chord([member], collect("body"))).await;
    let mut results: Vec<Value> = match bench.client.result("body").get(DEADLINE).await.unwrap() {
        Value::List(mut args) => match args.remove(0) {
            Value::List(results) => results,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    results.sort_by_key(json);
    let shown = json(&Value::List(results));
    assert_eq!(shown, "[0, 2, 4, 6, [[8]]]");
    worker.stop().await;
}

#[tokio::test]
async fn members_acknowledged_early_count_too() {
    let bench = Bench::new();
    let early = WorkerSettings {
        task_acks_late: false,
        ..settings(2)
    };
    let worker = bench.worker(early).await;
    start(&bench, chord([sum(1, 1), fail("bad")], collect("failed"))).await;
    start(&bench, chord([sum(1, 1), sum(2, 2)], collect("body"))).await;
    assert_eq!(failure(&bench, "failed").await.0, "ChordError");
    assert_eq!(value(&bench, "body").await, "[[2, 4]]");
    worker.stop().await;
}

#[tokio::test]
async fn ignored_results_reach_the_body() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let member = sum(1, 1).option("ignore_result", true);
    let nested = chain([
        sum(1, 1),
        group([add(1).option("ignore_result", true), add(2)]),
    ]);
    start(&bench, chord([member, nested], collect("body"))).await;
    assert_eq!(value(&bench, "body").await, "[[2, [3, 4]]]");
    worker.stop().await;
}

/// A consumer without a worker, whose claims do not last.
async fn stranger(bench: &Bench) -> std::sync::Arc<dyn broker::Consumer> {
    let (notices, _) = tokio::sync::mpsc::channel(16);
    let params = ConsumerParams {
        node: "stranger@test".to_owned(),
        queues: vec!["celery".to_owned()],
        order: broker::QueueOrder::default(),
        lease: std::time::Duration::from_secs(30),
        visibility_timeout: std::time::Duration::from_secs(3_600),
        limits: Limits::default(),
        notices,
    };
    bench.broker.consumer(params).await.unwrap()
}

/// A worker dies after it has counted the last member and before it has called the body.
#[tokio::test]
async fn a_join_that_died_half_way_is_done_again_once() {
    let bench = Bench::with_claims(std::time::Duration::from_millis(200));
    let body = key();
    let member = id(sum(1, 1), "m");
    start(&bench, chord([member], count(&body))).await;
    let stranger = stranger(&bench).await;
    let held = stranger.reserve(1).await.unwrap().remove(0);
    let message = held.message.into_message().unwrap();
    let mut settlement = Settlement::new(held.tag.clone(), Verdict::Ack);
    settlement.effects_mut().count = Some(ChordPart {
        group_id: message.headers.group.clone().unwrap(),
        task_id: "m".to_owned(),
        group_index: Some(0),
        state: State::Success,
        result: Value::Int(2),
    });
    let settled = stranger.settle(vec![settlement.clone()]).await.unwrap();
    assert_eq!(settled, [Settled::Complete]);
    assert!(bench.broker.expire_lease(stranger.incarnation()));
    let worker = bench.worker(settings(1)).await;
    eventually("the body is called", || async {
        (runs(&body) == 1).then_some(())
    })
    .await;
    let settled = stranger.settle(vec![settlement]).await.unwrap();
    assert_eq!(settled, [Settled::Refused], "a stale count");
    worker.stop().await;
    assert_eq!(runs(&body), 1);
    assert_eq!(bench.ready("celery").await, 0);
}

/// A chord of so many members is joined, in order.
async fn joined(members: i64) {
    let bench = Bench::new();
    let worker = bench.worker(settings(8)).await;
    let header: Vec<Signature> = (0..members).map(|number| sum(number, 0)).collect();
    start(&bench, chord(header, collect("body"))).await;
    let result: AsyncResult<Vec<Vec<i64>>> = bench.client.result("body");
    let numbers = result.get(20 * DEADLINE).await.unwrap().remove(0);
    assert_eq!(numbers, (0..members).collect::<Vec<_>>());
    worker.stop().await;
}

#[tokio::test]
async fn a_big_header_is_joined() {
    joined(2_000).await;
}

#[tokio::test]
#[ignore = "takes a minute or more; the short form is above"]
async fn a_header_of_a_hundred_thousand_is_joined() {
    joined(100_000).await;
}

#[tokio::test]
async fn canvas_nested_a_thousand_deep_in_a_step_is_a_failure_and_no_more() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let deep = (0..1_000).fold(sum(1, 1), |inner, _| chain([inner]));
    let call = client::TaskCall {
        options: client::CallOptions {
            task_id: Some("t".to_owned()),
            embed: protocol::Embed {
                callbacks: Some(vec![deep]),
                ..protocol::Embed::default()
            },
            ..client::CallOptions::default()
        },
        ..client::TaskCall::new("demo.collect")
    };
    let refused = bench.client.send_all(vec![call]).await;
    assert!(refused.is_err(), "nobody could read it");
    let deep = (0..100).fold(sum(1, 1), |inner, _| chain([inner]));
    let call = sum(1, 1).option("task_id", "t").option("link", deep);
    bench.client.apply(call).await.unwrap();
    let result: AsyncResult<Value> = bench.client.result("t");
    let meta = eventually("an end", || async { result.meta().await.unwrap() }).await;
    assert!(meta.status.is_ready(), "{meta:?}");
    assert_eq!(bench.run(crate::tasks::Add { x: 1, y: 1 }).await, 2);
    worker.stop().await;
}
