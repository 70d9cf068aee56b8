//! Errbacks that are called in the worker, and those that are sent.

use std::sync::{Arc, Mutex};

use client::AsyncResult;
use protocol::{Signature, State, Value};
use serde::Deserialize;
use worker::{Errback, FailedTask, Outcome, Registry};

use crate::flows::{chain, chord, collect, fail, group, json, sum};
use crate::support::{Bench, DEADLINE, settings, state};

/// What the errbacks were told.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

/// Notes whose failure it was told of, with the argument that its signature stores.
#[derive(Debug, Deserialize)]
struct Note {
    label: String,
}

impl Errback for Note {
    const NAME: &'static str = "demo.note";
    async fn run(self, failed: &FailedTask) -> Result<(), Outcome> {
        let told = failed.state::<Told>().expect("the test gives it");
        let exception = failed.failure().exception.repr();
        told.0.lock().unwrap().push(format!(
            "{} {} {exception}",
            self.label,
            failed.request().id
        ));
        Ok(())
    }
}

#[derive(Debug, Deserialize)]
struct Broken;

impl Errback for Broken {
    const NAME: &'static str = "demo.broken";
    async fn run(self, _: &FailedTask) -> Result<(), Outcome> {
        panic!("on purpose");
    }
}

impl Told {
    fn registry(&self) -> Registry {
        crate::tasks::registry()
            .errback::<Note>()
            .errback::<Broken>()
            .state(self.clone())
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

fn note(label: &str) -> Signature {
    Signature::new("demo.note").args(vec![label.into()])
}

async fn failed(bench: &Bench, id: &str) {
    let result: AsyncResult<Value> = bench.client.result(id);
    state(&result, &State::Failure).await;
}

#[tokio::test]
async fn a_registered_errback_is_called_in_the_worker_and_the_others_are_sent_as_one_group() {
    let (bench, told) = (Bench::new(), Told::default());
    let worker = bench.worker_with(told.registry(), settings(1)).await;
    let errbacks: Vec<Value> = vec![
        note("here").into(),
        collect("sent-1").into(),
        Signature::new("demo.broken").into(),
        collect("sent-2").into(),
    ];
    let flow = fail("bad")
        .option("task_id", "t")
        .option("link_error", errbacks);
    bench.client.apply(flow).await.unwrap();
    failed(&bench, "t").await;
    assert_eq!(told.all(), ["here t ValueError('bad')"]);
    let mut groups = Vec::new();
    for sent in ["sent-1", "sent-2"] {
        let result: AsyncResult<Value> = bench.client.result(sent);
        assert_eq!(json(&result.get(DEADLINE).await.unwrap()), r#"["t"]"#);
        groups.push(result.meta().await.unwrap().unwrap().group_id);
    }
    assert!(groups[0].is_some() && groups[0] == groups[1]);
    worker.stop().await;
}

#[tokio::test]
async fn a_chord_s_body_and_each_member_of_a_group_body_have_their_errbacks() {
    let (bench, told) = (Bench::new(), Told::default());
    let worker = bench.worker_with(told.registry(), settings(1)).await;
    let body = collect("body").option("link_error", note("body"));
    let failing = || fail("bad").option("task_id", "culprit");
    bench.client.apply(chord([failing()], body)).await.unwrap();
    failed(&bench, "body").await;
    let members = [
        collect("b-1").option("link_error", note("own")),
        collect("b-2"),
    ];
    let body = group(members).option("link_error", note("group"));
    bench.client.apply(chord([failing()], body)).await.unwrap();
    failed(&bench, "b-2").await;
    let mut all = told.all();
    all.sort();
    assert_eq!(
        all,
        [
            "body body ChordError(\"Dependency culprit raised ValueError('bad')\")",
            "group b-1 ValueError('bad')",
            "group b-2 ValueError('bad')",
            "own b-1 ValueError('bad')",
        ]
    );
    worker.stop().await;
}

#[tokio::test]
async fn an_errback_that_inner_and_outer_chord_share_is_told_once() {
    let (bench, told) = (Bench::new(), Told::default());
    let worker = bench.worker_with(told.registry(), settings(1)).await;
    let linked = |id: &str, more: &str| {
        let errbacks: Vec<Value> = vec![note("both").into(), note(more).into()];
        collect(id).option("link_error", errbacks)
    };
    let culprit = fail("bad").option("task_id", "culprit");
    let inner = chord([culprit], linked("inner", "inner"));
    let outer = chord([sum(1, 1), inner], linked("outer", "outer"));
    bench.client.apply(outer).await.unwrap();
    failed(&bench, "outer").await;
    let all = told.all();
    let told: Vec<&str> = all
        .iter()
        .filter_map(|line| line.split(" ChordError").next())
        .collect();
    assert_eq!(told, ["both inner", "inner inner", "outer outer"]);
    worker.stop().await;
}

#[tokio::test]
async fn the_sent_errbacks_of_a_chord_are_children_of_its_body() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let body = collect("body").option("link_error", collect("errback"));
    bench
        .client
        .apply(chord([fail("bad")], body))
        .await
        .unwrap();
    failed(&bench, "body").await;
    let body: AsyncResult<Value> = bench.client.result("body");
    let children = body.meta().await.unwrap().unwrap().children.unwrap();
    let sent = children[0].children.as_ref().expect("a group");
    assert_eq!(sent[0].id, "errback");
    worker.stop().await;
}

#[tokio::test]
async fn each_step_of_a_chain_has_the_chain_s_errback_and_only_the_failed_one_calls_it() {
    let (bench, told) = (Bench::new(), Told::default());
    let worker = bench.worker_with(told.registry(), settings(1)).await;
    let flow = chain([
        sum(1, 1),
        fail("bad").option("task_id", "second"),
        collect("last"),
    ]);
    bench
        .client
        .apply(flow.option("link_error", note("chain")))
        .await
        .unwrap();
    failed(&bench, "last").await;
    // The second step takes the result of the first one, for which it has no place.
    assert_eq!(told.all().len(), 1);
    assert!(told.all()[0].starts_with("chain second TypeError("));
    worker.stop().await;
}

#[tokio::test]
async fn an_errback_of_an_unknown_task_is_called_too() {
    let (bench, told) = (Bench::new(), Told::default());
    let worker = bench.worker_with(told.registry(), settings(1)).await;
    let flow = Signature::new("demo.nowhere")
        .option("task_id", "t")
        .option("link_error", note("unknown"));
    bench.client.apply(flow).await.unwrap();
    failed(&bench, "t").await;
    assert_eq!(told.all(), ["unknown t NotRegistered('demo.nowhere')"]);
    worker.stop().await;
}

#[test]
fn an_errback_registered_twice_is_refused() {
    let twice = Registry::new().errback::<Note>().errback::<Note>();
    let params = worker::WorkerParams {
        client: Bench::new().client,
        registry: twice,
        settings: settings(1),
        hooks: Vec::new(),
        ready: None,
    };
    let error = worker::Worker::new(params).expect_err("two of a name");
    assert!(error.to_string().contains("demo.note"), "{error}");
}
