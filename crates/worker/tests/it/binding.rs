//! Arguments: by position and by keyword, exact types, and what does not fit.

use jiff::Timestamp;
use protocol::{Map, Value};
use worker::SendTask;

use crate::support::{Bench, DEADLINE, exception, settings, state};
use crate::tasks::{Add, Price};

#[tokio::test]
async fn typed_and_named_calls_bind_to_the_same_fields() {
    let bench = Bench::new();
    let worker = bench.worker(settings(2)).await;
    let typed = bench.client.send(Add { x: 1, y: 2 }).await.unwrap();
    let positional = bench
        .client
        .task::<i64>("demo.add")
        .arg(3)
        .arg(4)
        .send()
        .await
        .unwrap();
    let mixed = bench
        .client
        .task::<i64>("old.add")
        .arg(5)
        .kwarg("y", 6)
        .send()
        .await
        .unwrap();
    assert_eq!(typed.get(DEADLINE).await.unwrap(), 3);
    assert_eq!(positional.get(DEADLINE).await.unwrap(), 7);
    assert_eq!(mixed.get(DEADLINE).await.unwrap(), 11);
    worker.stop().await;
}

#[tokio::test]
async fn decimals_and_datetimes_survive_exactly() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let price = Price {
        amount: "12345678901234567.123456789".parse().unwrap(),
        at: "2026-11-20T09:00:11.936577Z".parse::<Timestamp>().unwrap(),
    };
    let result = bench.client.send(price.clone()).await.unwrap();
    assert_eq!(result.get(DEADLINE).await.unwrap(), price);
    worker.stop().await;
}

#[tokio::test]
async fn arguments_that_do_not_fit_fail_with_pythons_type_error() {
    let bench = Bench::new();
    let worker = bench.worker(settings(2)).await;
    let cases: [(Vec<Value>, Map, &str); 5] = [
        (
            vec![1_i64.into()],
            Map::new(),
            "add() missing 1 required positional argument: 'y'",
        ),
        (
            vec![1_i64.into(), 2_i64.into(), 3_i64.into()],
            Map::new(),
            "add() takes 2 positional arguments but 3 were given",
        ),
        (
            vec![1_i64.into()],
            Map::from_iter([("x", 1_i64), ("y", 2)]),
            "add() got multiple values for argument 'x'",
        ),
        (
            vec![],
            Map::from_iter([("x", 1_i64), ("z", 2)]),
            "add() got an unexpected keyword argument 'z'",
        ),
        (
            vec![1_i64.into(), "two".into()],
            Map::new(),
            "add() argument y: ",
        ),
    ];
    for (args, kwargs, wanted) in cases {
        let result = bench
            .client
            .send_task("demo.add", args, kwargs, client::CallOptions::default())
            .await
            .unwrap();
        let meta = state(&result, &protocol::State::Failure).await;
        let (exc_type, message) = exception(&meta);
        assert_eq!(exc_type, "TypeError");
        assert!(
            message.starts_with(wanted),
            "{message:?} does not start with {wanted:?}"
        );
    }
    worker.stop().await;
}
