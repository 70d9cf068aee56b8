//! The refresh as callers see it: by name, on a worker, with the sample portfolio.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod files;
mod market;
mod portfolios;
mod reconciliation;

use std::time::Duration;

use broker::MemoryBroker;
use client::{Call, Client, ClientOptions, TaskError};
use jiff::Timestamp;
use portfolio::demo::{DemoFiles, install};
use portfolio::store::Store;
use serde_json::Value;
use tempfile::TempDir;
use worker::{Shutdown, Worker, WorkerParams, WorkerSettings};

const DEADLINE: Duration = Duration::from_secs(120);
const NAME: &str = "finflow.core.tasks.refresh_portfolio_analytics";

async fn start(data: &TempDir) -> Client {
    let client = Client::new(MemoryBroker::new().backends(), ClientOptions::default());
    let (ready, started) = tokio::sync::oneshot::channel();
    let worker = Worker::new(WorkerParams {
        client: client.clone(),
        registry: tasks_analytics::registry(tasks::App::new(data.path())),
        settings: WorkerSettings::default(),
        hooks: Vec::new(),
        ready: Some(Box::new(move || ready.send(()).unwrap())),
    });
    tokio::spawn(worker.unwrap().run(Shutdown::new()));
    started.await.unwrap();
    client
}

async fn sample(data: &TempDir) -> Store {
    let store = Store::create(data.path().join("finance.db")).await.unwrap();
    let files = DemoFiles::embedded();
    install(&store, &files, Timestamp::now(), &mut |_| {})
        .await
        .unwrap();
    store
}

fn call(client: &Client) -> Call<Value> {
    let call = client.task(NAME).queue("celery");
    call.kwarg("as_of", "2013-03-01")
}

async fn run(call: Call<Value>) -> Value {
    call.send().await.unwrap().get(DEADLINE).await.unwrap()
}

async fn fails(call: Call<Value>) -> (String, String) {
    match call.send().await.unwrap().get(DEADLINE).await {
        Err(TaskError::Failed { exception, .. }) => {
            (exception.0.exc_type.clone(), exception.to_string())
        }
        other => panic!("{other:?} is no failure"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_is_refreshed_once_and_skipped_when_nothing_changed() {
    let data = TempDir::new().unwrap();
    sample(&data).await;
    let client = start(&data).await;

    let first = run(call(&client)).await;
    assert_eq!(first["status"], "success", "{first}");
    assert_eq!(first["as_of"], "2013-03-01");
    assert_eq!(first["data"]["portfolios"], 3);
    assert_eq!(first["data"]["portfolios_skipped"], 0);
    assert_eq!(first["data"]["totals"]["EUR"]["nav"], "117497.96153849");

    let second = run(call(&client)).await;
    assert_eq!(second["data"]["portfolios_skipped"], 3);
    assert_eq!(second["data"]["totals"], first["data"]["totals"]);

    let full = run(call(&client).kwarg("full", true)).await;
    assert_eq!(full["data"]["portfolios_skipped"], 0);
    assert_eq!(full["data"]["totals"], first["data"]["totals"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_types_that_callers_can_tell_apart() {
    let data = TempDir::new().unwrap();
    let client = start(&data).await;
    let (_, text) = fails(call(&client)).await;
    assert!(text.contains("finance.db not found"), "{text}");

    sample(&data).await;
    let (kind, _) = fails(call(&client).kwarg("user_id", 77)).await;
    assert_eq!(kind, "NotFound");
    let (kind, _) = fails(call(&client).kwarg("user_id", 0)).await;
    assert_eq!(kind, "InvalidArgument");
    let foreign = call(&client)
        .kwarg("user_id", 2)
        .kwarg("portfolio_ids", [1]);
    let (kind, _) = fails(foreign).await;
    assert_eq!(kind, "Forbidden");
    let (kind, text) = fails(call(&client).kwarg("colour", "red")).await;
    assert_eq!(kind, "InvalidArgument");
    assert!(text.contains("unexpected_argument: colour"), "{text}");
}
