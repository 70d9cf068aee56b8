//! Tasks that are replaced by canvas of every kind.

use client::AsyncResult;
use protocol::{Signature, State, Value};

use crate::flows::{add, become_that, chain, chord, collect, count, fail, group, json, sum};
use crate::support::{Bench, DEADLINE, eventually, exception, settings, state};
use crate::tasks::{key, runs};

async fn start(bench: &Bench, flow: Signature) {
    bench.client.apply(flow).await.unwrap();
}

async fn value(bench: &Bench, id: &str) -> String {
    let result: AsyncResult<Value> = bench.client.result(id);
    json(&result.get(DEADLINE).await.unwrap())
}

/// What becomes of a task with this id that is replaced so.
async fn replaced(signature: Signature) -> String {
    let bench = Bench::new();
    let worker = bench.worker(settings(2)).await;
    start(&bench, become_that(signature).option("task_id", "t")).await;
    let value = value(&bench, "t").await;
    worker.stop().await;
    value
}

#[tokio::test]
async fn the_replacement_s_result_is_the_task_s() {
    assert_eq!(replaced(sum(1, 2)).await, "3");
    assert_eq!(replaced(chain([sum(1, 2), add(3), add(4)])).await, "10");
    assert_eq!(replaced(group([sum(1, 2), sum(3, 4)])).await, "[3, 7]");
    let chord = chord([sum(1, 2)], Signature::new("demo.collect"));
    assert_eq!(replaced(chord).await, "[[3]]");
    let ends_in_group = chain([sum(1, 2), group([add(1), add(2)])]);
    assert_eq!(replaced(ends_in_group).await, "[4, 5]");
    assert_eq!(replaced(become_that(become_that(sum(1, 2)))).await, "3");
}

#[tokio::test]
async fn the_rest_of_the_chain_follows_the_replacement() {
    for replacement in [
        sum(1, 2),
        chain([sum(1, 1), add(1)]),
        chord([sum(1, 1)], Signature::new("demo.add").args(vec![1.into()])),
    ] {
        let bench = Bench::new();
        let worker = bench.worker(settings(2)).await;
        // A chord's body gets a list, which cannot be added to: it fails, and so does the rest.
        let is_chord = replacement.subtask_type.as_deref() == Some("chord");
        start(
            &bench,
            chain([become_that(replacement), add(10), collect("last")]),
        )
        .await;
        let last: AsyncResult<Value> = bench.client.result("last");
        match is_chord {
            false => assert_eq!(value(&bench, "last").await, "[13]"),
            true => assert_eq!(
                exception(&state(&last, &State::Failure).await).0,
                "TypeError"
            ),
        }
        worker.stop().await;
    }
}

#[tokio::test]
async fn callbacks_and_errbacks_are_called_at_the_end_of_the_replacement() {
    let bench = Bench::new();
    let worker = bench.worker(settings(2)).await;
    let linked = |flow: Signature, id: &str| {
        flow.option("link", collect(&format!("{id}-link")))
            .option("link_error", collect(&format!("{id}-error")))
            .option("task_id", id)
    };
    start(
        &bench,
        linked(become_that(chain([sum(1, 2), add(3)])), "good"),
    )
    .await;
    assert_eq!(value(&bench, "good-link").await, "[6]");
    start(
        &bench,
        linked(become_that(chain([sum(1, 2), fail("bad")])), "bad"),
    )
    .await;
    let called = value(&bench, "bad-error").await;
    assert_eq!(called, r#"["bad"]"#);
    worker.stop().await;
}

#[tokio::test]
async fn a_replaced_member_counts_once_with_the_result_of_its_replacement() {
    let bench = Bench::new();
    let worker = bench.worker(settings(2)).await;
    let header = [
        become_that(group([sum(1, 2), sum(3, 4)])),
        sum(5, 6),
        become_that(chain([sum(1, 1), add(1)])),
        become_that(chord([sum(2, 2)], Signature::new("demo.collect"))),
    ];
    start(&bench, chord(header, collect("body"))).await;
    assert_eq!(value(&bench, "body").await, "[[[3, 7], 11, 3, [[4]]]]");
    worker.stop().await;
}

#[tokio::test]
async fn a_replacement_that_fails_fails_the_chord() {
    let bench = Bench::new();
    let worker = bench.worker(settings(2)).await;
    let member = become_that(chain([fail("bad"), add(1)])).option("task_id", "m");
    start(&bench, chord([member, sum(1, 1)], collect("body"))).await;
    let body: AsyncResult<Value> = bench.client.result("body");
    let (kind, message) = exception(&state(&body, &State::Failure).await);
    assert_eq!(
        (kind.as_str(), message.as_str()),
        ("ChordError", "Dependency m raised ValueError('bad')")
    );
    worker.stop().await;
}

#[tokio::test]
async fn replacements_that_make_no_sense_are_refused() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let cases = [
        (chain([]), "Cannot replace with an empty chain"),
        (
            sum(1, 1).option("chord", add(1)),
            "A signature replacing a task must not be part of a chord",
        ),
    ];
    for (index, (replacement, told)) in cases.into_iter().enumerate() {
        let id = format!("t-{index}");
        start(
            &bench,
            become_that(replacement).option("task_id", id.as_str()),
        )
        .await;
        let result: AsyncResult<Value> = bench.client.result(&id);
        let (kind, message) = exception(&state(&result, &State::Failure).await);
        assert_eq!(
            (kind.as_str(), message.as_str()),
            ("ImproperlyConfigured", told)
        );
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_replacement_keeps_the_stamps_and_counts_its_nesting() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let elsewhere = count(&key()).option("queue", "elsewhere");
    let flow = become_that(become_that(elsewhere))
        .option("task_id", "t")
        .option("stamped_headers", vec!["team"])
        .option("team", "a");
    start(&bench, flow).await;
    let raw = eventually("the replacement is sent", || async {
        let peeked = broker::Admin::peek(&bench.broker, "elsewhere", 1).await;
        peeked.unwrap().into_iter().next()
    })
    .await;
    let message = protocol::Message::from_envelope(&raw, &protocol::Limits::default()).unwrap();
    assert_eq!(message.headers.id.as_deref(), Some("t"));
    assert_eq!(message.headers.replaced_task_nesting, Some(2));
    assert_eq!(
        message.headers.stamps.unwrap().get("team"),
        Some(&"a".into())
    );
    worker.stop().await;
}

#[tokio::test]
async fn nothing_of_a_replaced_run_is_stored_and_the_message_is_gone() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let key = key();
    let flow = become_that(count(&key).option("countdown", 3_600)).option("task_id", "t");
    start(&bench, flow).await;
    eventually("only the replacement is there", || async {
        let deferred = broker::Admin::deferred(&bench.broker, 10).await.unwrap();
        (deferred.len() == 1).then_some(())
    })
    .await;
    assert_eq!(bench.ready("celery").await, 0);
    let result: AsyncResult<Value> = bench.client.result("t");
    assert!(result.meta().await.unwrap().is_none());
    assert_eq!(runs(&key), 0);
    worker.stop().await;
}
