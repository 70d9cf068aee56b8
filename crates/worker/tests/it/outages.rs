//! The server goes away, answers nonsense, or declares the worker dead.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use broker::faults::{Call, inject};
use broker::{Admin, ErrorKind};
use client::{AsyncResult, Client, ClientOptions};
use protocol::{State, Value};
use worker::{Context, Hook, SendTask, WorkerSettings};

use crate::flows::{collect, fail};
use crate::support::{Bench, DEADLINE, eventually, exception, settings, start, state};
use crate::tasks::{Add, Count, Sleep, key, runs};

#[tokio::test]
async fn an_outage_between_run_and_settlement_loses_nothing() {
    let bench = Bench::new();
    let (backends, faults) = inject(bench.broker.backends());
    let worker = start(
        Client::new(backends, ClientOptions::default()),
        settings(1),
        Vec::new(),
    )
    .await;
    faults.fail_next(Call::Settle, 1, ErrorKind::Unreachable);
    let key = key();
    let result = bench.client.send(Count { key: key.clone() }).await.unwrap();
    assert_eq!(result.get(DEADLINE).await.unwrap(), 1);
    assert_eq!(runs(&key), 1);
    faults.fail_next(Call::Reserve, 1, ErrorKind::Unreachable);
    assert_eq!(bench.run(Add { x: 1, y: 1 }).await, 2);
    worker.stop().await;
}

#[tokio::test]
async fn a_settlement_that_is_denied_waits_for_the_operator() {
    let bench = Bench::new();
    let (backends, faults) = inject(bench.broker.backends());
    let client = Client::new(backends, ClientOptions::default());
    let worker = start(client, settings(1), Vec::new()).await;
    faults.fail_next(Call::Settle, 2, ErrorKind::Denied);
    let key = key();
    let result = bench.client.send(Count { key: key.clone() }).await.unwrap();
    assert_eq!(result.get(DEADLINE).await.unwrap(), 1);
    worker.stop().await;
    assert_eq!(runs(&key), 1);
}

#[tokio::test]
async fn a_settlement_that_cannot_be_written_is_parked_with_a_failure() {
    let bench = Bench::new();
    let (backends, faults) = inject(bench.broker.backends());
    let worker = start(
        Client::new(backends, ClientOptions::default()),
        settings(1),
        Vec::new(),
    )
    .await;
    faults.fail_next(Call::Settle, 2, ErrorKind::Invalid);
    let result = bench.client.send(Add { x: 1, y: 1 }).await.unwrap();
    let (exc_type, message) = exception(&state(&result, &State::Failure).await);
    assert_eq!(exc_type, "EncodeError");
    assert!(message.contains("injected fault"), "{message}");
    assert_eq!(bench.broker.parked(10).await.unwrap().len(), 1);
    assert_eq!(bench.run(Add { x: 1, y: 1 }).await, 2);
    worker.stop().await;
}

#[tokio::test]
async fn a_failure_whose_errback_cannot_be_sent_is_itself() {
    let bench = Bench::new();
    let (backends, faults) = inject(bench.broker.backends());
    let client = Client::new(backends, ClientOptions::default());
    let worker = start(client, settings(1), Vec::new()).await;
    let flow = fail("bad")
        .option("task_id", "t")
        .option("link_error", collect("errback"));
    faults.fail_next(Call::Settle, 1, ErrorKind::Invalid);
    bench.client.apply(flow).await.unwrap();
    let result: AsyncResult<Value> = bench.client.result("t");
    let told = exception(&state(&result, &State::Failure).await);
    assert_eq!(told, ("ValueError".to_owned(), "bad".to_owned()));
    assert_eq!(bench.run(Add { x: 1, y: 1 }).await, 2);
    let errback: AsyncResult<Value> = bench.client.result("errback");
    assert!(errback.meta().await.unwrap().is_none());
    assert!(bench.broker.parked(10).await.unwrap().is_empty());
    worker.stop().await;
}

#[tokio::test]
async fn a_cold_stop_during_an_outage_ends_and_leaves_the_rest_to_the_lease() {
    let bench = Bench::new();
    let (backends, faults) = inject(bench.broker.backends());
    let worker = start(
        Client::new(backends, ClientOptions::default()),
        settings(1),
        Vec::new(),
    )
    .await;
    let key = key();
    bench
        .client
        .send(Sleep {
            key: key.clone(),
            seconds: 0.05,
        })
        .await
        .unwrap();
    eventually("it runs", || async { (runs(&key) == 1).then_some(()) }).await;
    faults.go_down();
    worker.kill().await;
}

#[tokio::test]
async fn a_warm_stop_waits_through_an_outage_for_a_lease_at_most() {
    let bench = Bench::new();
    let (backends, faults) = inject(bench.broker.backends());
    let settings = WorkerSettings {
        lease: Duration::from_millis(300),
        ..settings(1)
    };
    let client = Client::new(backends, ClientOptions::default());
    let worker = start(client, settings, Vec::new()).await;
    let key = key();
    let sleep = Sleep {
        key: key.clone(),
        seconds: 0.05,
    };
    bench.client.send(sleep).await.unwrap();
    eventually("it runs", || async { (runs(&key) == 1).then_some(()) }).await;
    faults.go_down();
    worker.stop().await;
}

#[tokio::test]
async fn a_cold_stop_ends_although_the_broker_does_not_answer_at_all() {
    let bench = Bench::new();
    let (backends, faults) = inject(bench.broker.backends());
    let settings = WorkerSettings {
        task_acks_late: false,
        ..settings(1)
    };
    let worker = start(
        Client::new(backends, ClientOptions::default()),
        settings,
        Vec::new(),
    )
    .await;
    faults.stall();
    let key = key();
    bench.client.send(Count { key: key.clone() }).await.unwrap();
    eventually("the early acknowledgement is asked for", || async {
        (faults.calls(Call::Settle) > 0).then_some(())
    })
    .await;
    worker.kill().await;
    assert_eq!(runs(&key), 0, "what is not acknowledged early is not run");
}

#[tokio::test]
async fn an_early_acknowledged_run_of_a_dead_worker_is_reported_lost() {
    let bench = Bench::new();
    let worker = bench
        .worker(WorkerSettings {
            task_acks_late: false,
            ..settings(1)
        })
        .await;
    let key = key();
    let result = bench
        .client
        .send(Sleep {
            key: key.clone(),
            seconds: 60.0,
        })
        .await
        .unwrap();
    eventually("it runs", || async { (runs(&key) == 1).then_some(()) }).await;
    let incarnation = bench.broker.workers().await.unwrap()[0].incarnation.clone();
    assert!(bench.broker.expire_lease(&incarnation));
    let (exc_type, _) = exception(&state(&result, &State::Failure).await);
    assert_eq!(exc_type, "WorkerLostError");
    worker.kill().await;
    assert_eq!(runs(&key), 1);
}

#[derive(Clone, Debug, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl Hook for Recorder {
    fn on_span(&self, ctx: &Context, span: &tracing::Span) {
        let _ = span;
        self.0
            .lock()
            .unwrap()
            .push(format!("span {}", ctx.retries()));
    }
    fn before_run(&self, ctx: &Context) {
        self.0
            .lock()
            .unwrap()
            .push(format!("before {}", ctx.name()));
    }
    fn after_run(&self, _: &Context, state: &State, runtime: Duration) {
        assert!(runtime < DEADLINE);
        self.0.lock().unwrap().push(format!("after {state}"));
    }
}

#[tokio::test]
async fn hooks_stand_around_every_run() {
    let bench = Bench::new();
    let recorder = Recorder::default();
    let worker = start(
        bench.client.clone(),
        settings(1),
        vec![Arc::new(recorder.clone())],
    )
    .await;
    bench.run(Add { x: 1, y: 1 }).await;
    worker.stop().await;
    assert_eq!(
        *recorder.0.lock().unwrap(),
        ["span 0", "before demo.add", "after SUCCESS"]
    );
}

#[tokio::test]
async fn what_waited_for_a_slot_does_not_run_after_the_worker_was_declared_dead() {
    let bench = Bench::new();
    let worker = bench
        .worker(WorkerSettings {
            worker_prefetch_multiplier: 2,
            lease: Duration::from_millis(600),
            ..settings(1)
        })
        .await;
    let (busy, waiting) = (key(), key());
    let sleep = Sleep {
        key: busy.clone(),
        seconds: 0.5,
    };
    bench.client.send(sleep).await.unwrap();
    eventually("it runs", || async { (runs(&busy) == 1).then_some(()) }).await;
    let count = Count {
        key: waiting.clone(),
    };
    let result = bench.client.send(count).await.unwrap();
    eventually("the other one waits for the slot", || async {
        (bench.ready("celery").await == 0).then_some(())
    })
    .await;
    let incarnation = bench.broker.workers().await.unwrap()[0].incarnation.clone();
    assert!(bench.broker.expire_lease(&incarnation));
    assert_eq!(
        result.get(DEADLINE).await.unwrap(),
        1,
        "it was somebody else's by then"
    );
    worker.stop().await;
    assert_eq!(runs(&waiting), 1);
}
