//! Time limits of async and blocking tasks.

use protocol::{State, Value};
use worker::SendTask;

use crate::support::{Bench, DEADLINE, eventually, exception, settings, state};
use crate::tasks::{Add, Block, Patient, Sleep, key, runs};

fn sleep() -> Sleep {
    Sleep {
        key: key(),
        seconds: 60.0,
    }
}

#[tokio::test]
async fn the_hard_limit_ends_an_async_task() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let result = bench
        .client
        .call(sleep())
        .time_limit(0.25)
        .send()
        .await
        .unwrap();
    let meta = state(&result, &State::Failure).await;
    let exception = meta.exception().unwrap();
    assert_eq!(exception.exc_type, "TimeLimitExceeded");
    assert_eq!(exception.exc_message, [Value::Float(0.25)]);
    assert_eq!(meta.traceback, None);
    assert_eq!(bench.run(Add { x: 1, y: 2 }).await, 3);
    worker.stop().await;
}

#[tokio::test]
async fn the_soft_limit_ends_an_async_task_that_never_asks() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let result = bench
        .client
        .call(sleep())
        .soft_time_limit(0.2)
        .send()
        .await
        .unwrap();
    assert_eq!(
        exception(&state(&result, &State::Failure).await).0,
        "SoftTimeLimitExceeded"
    );
    worker.stop().await;
}

#[tokio::test]
async fn a_task_that_asks_may_end_well_after_its_soft_limit() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let result = bench
        .client
        .call(Patient)
        .soft_time_limit(0.2)
        .time_limit(60.0)
        .send()
        .await
        .unwrap();
    assert_eq!(result.get(DEADLINE).await.unwrap(), "cleaned up");
    worker.stop().await;
}

#[tokio::test]
async fn a_blocking_task_runs_on_its_own_thread_and_may_ask_too() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let short = bench
        .client
        .send(Block {
            key: key(),
            seconds: 0.01,
            asks: false,
        })
        .await
        .unwrap();
    assert_eq!(short.get(DEADLINE).await.unwrap(), "task");
    let long = bench
        .client
        .call(Block {
            key: key(),
            seconds: 60.0,
            asks: true,
        })
        .soft_time_limit(0.2)
        .send()
        .await
        .unwrap();
    assert_eq!(
        exception(&state(&long, &State::Failure).await).0,
        "SoftTimeLimitExceeded"
    );
    worker.stop().await;
}

#[tokio::test]
async fn a_thread_past_its_hard_limit_keeps_its_slot_until_it_ends() {
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let (stubborn, next) = (key(), key());
    let task = Block {
        key: stubborn.clone(),
        seconds: 1.0,
        asks: false,
    };
    let result = bench
        .client
        .call(task)
        .time_limit(0.2)
        .send()
        .await
        .unwrap();
    assert_eq!(
        exception(&state(&result, &State::Failure).await).0,
        "TimeLimitExceeded"
    );
    let waiting = bench
        .client
        .send(Sleep {
            key: next.clone(),
            seconds: 0.0,
        })
        .await
        .unwrap();
    assert_eq!(runs(&next), 0, "the slot is still taken");
    assert_eq!(waiting.get(DEADLINE).await.unwrap(), 1);
    eventually("both ran once", || async {
        (runs(&stubborn) == 1).then_some(())
    })
    .await;
    worker.stop().await;
}
