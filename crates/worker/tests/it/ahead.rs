//! Messages that are held ahead of the slots: many of short tasks, none of long ones, and what was held in vain is given back.

use std::collections::HashSet;
use std::time::Duration;

use client::{AsyncResult, EventReceiver};
use protocol::Value;
use worker::{SendTask, WorkerSettings};

use crate::support::{Bench, DEADLINE, eventually, settings};
use crate::tasks::{Count, Redelivered, Sleep, key, runs};

/// As a worker has them whose tasks have been short for a while.
const SHORT_TASKS: usize = 400;
/// More of them, one by one: none of these can wait behind another for so long that the worker takes them to be long again.
const SINGLE_TASKS: usize = 50;

async fn run_short_tasks(bench: &Bench) {
    // Until it knows the types, a worker does not expect them to be short.
    bench.run(Redelivered {}).await;
    let (key, seconds) = (key(), 0.0);
    bench.run(Sleep { key, seconds }).await;
    let key = key_of_many(bench, SHORT_TASKS).await;
    eventually("the short tasks have run", || async {
        (runs(&key) as usize == SHORT_TASKS).then_some(())
    })
    .await;
    for _ in 0..SINGLE_TASKS {
        bench.run(Count { key: key.clone() }).await;
    }
}

async fn key_of_many(bench: &Bench, tasks: usize) -> String {
    let key = key();
    let count = |_| bench.client.call(Count { key: key.clone() }).build();
    let calls = (0..tasks).map(count).collect::<Result<_, _>>().unwrap();
    bench.client.send_all(calls).await.unwrap();
    key
}

/// Waits until the worker has told of each of them that it has it.
async fn hold_all(events: &mut EventReceiver, sent: &[AsyncResult<Value>]) {
    let mut missing: HashSet<&str> = sent.iter().map(AsyncResult::id).collect();
    while !missing.is_empty() {
        let event = tokio::time::timeout(DEADLINE, events.next()).await;
        let event = event.expect("an event comes").unwrap();
        if event.kind == "task-received" {
            missing.remove(event.text("uuid").unwrap());
        }
    }
}

#[tokio::test]
async fn what_waits_behind_a_run_that_takes_long_is_given_back_in_its_order() {
    let bench = Bench::new();
    let first = bench
        .worker(WorkerSettings {
            worker_send_task_events: true,
            // On a busy machine even short runs take long: the usual millisecond is not enough for eight.
            reserve_ahead: Duration::from_millis(100),
            ..settings(1)
        })
        .await;
    run_short_tasks(&bench).await;
    let mut events = bench.client.events("task.#").await.unwrap();
    let busy = key();
    let sleep = Sleep {
        key: busy.clone(),
        seconds: 3_600.0,
    };
    let mut calls = vec![bench.client.call(sleep).build().unwrap()];
    let redelivered = |_| bench.client.call(Redelivered {}).build();
    calls.extend(
        (0..8)
            .map(redelivered)
            .collect::<Result<Vec<_>, _>>()
            .unwrap(),
    );
    let sent = bench.client.send_all(calls).await.unwrap();
    eventually("it runs", || async { (runs(&busy) == 1).then_some(()) }).await;
    hold_all(&mut events, &sent).await;

    let second = bench
        .worker(WorkerSettings {
            hostname: "w2@test".to_owned(),
            ..settings(1)
        })
        .await;
    let mut orders = Vec::new();
    for short in &sent[1..] {
        let result = bench.client.result::<(bool, usize)>(short.id());
        let (redelivered, order) = result.get(DEADLINE).await.unwrap();
        assert!(!redelivered, "nothing of it has run");
        orders.push(order);
    }
    assert!(orders.is_sorted(), "{orders:?}");
    first.kill().await;
    second.kill().await;
}

#[tokio::test]
async fn nothing_that_takes_long_is_held_ahead() {
    let bench = Bench::new();
    let one = bench.worker(settings(1)).await;
    let other = bench
        .worker(WorkerSettings {
            hostname: "w2@test".to_owned(),
            ..settings(1)
        })
        .await;
    let (long, tasks) = (key(), 30_u32);
    for _ in 0..tasks {
        let sleep = Sleep {
            key: long.clone(),
            seconds: 0.05,
        };
        bench.client.send(sleep).await.unwrap();
    }
    let mut most = 0;
    while runs(&long) < tasks {
        let ready = bench.ready("celery").await;
        let waiting = u64::from(tasks).saturating_sub(ready + u64::from(runs(&long)));
        most = most.max(waiting);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(
        most <= 2,
        "for two slots {most} messages were held that had not begun"
    );
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_worker_without_a_budget_takes_as_many_as_it_has_slots() {
    let bench = Bench::new();
    let strict = WorkerSettings {
        reserve_ahead: Duration::ZERO,
        ..settings(1)
    };
    let worker = bench.worker(strict).await;
    run_short_tasks(&bench).await;
    let busy = key();
    let sleep = Sleep {
        key: busy.clone(),
        seconds: 3_600.0,
    };
    let mut calls = vec![bench.client.call(sleep).build().unwrap()];
    calls.extend((0..8).map(|_| bench.client.call(Redelivered {}).build().unwrap()));
    bench.client.send_all(calls).await.unwrap();
    eventually("it runs", || async { (runs(&busy) == 1).then_some(()) }).await;
    assert_eq!(bench.ready("celery").await, 8);
    worker.kill().await;
}
