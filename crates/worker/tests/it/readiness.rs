//! Whether a worker consumes, and what it does when it does not.

use std::time::Duration;

use broker::ErrorKind;
use broker::faults::Call;
use broker::faults::{Faults, inject};
use client::{Client, ClientOptions};
use tokio::task::JoinHandle;
use worker::{
    Health, Readiness, SendTask, Shutdown, Worker, WorkerError, WorkerParams, WorkerSettings,
};

use crate::support::{Bench, DEADLINE, eventually, settings};
use crate::tasks::{Add, Count, Sleep, key, registry, runs};

/// A worker whose consumers can be made deaf, and the handle on its health.
struct Watched {
    health: Health,
    shutdown: Shutdown,
    running: JoinHandle<Result<(), WorkerError>>,
}

impl Watched {
    fn start(bench: &Bench, settings: WorkerSettings) -> (Self, Faults) {
        let (backends, faults) = inject(bench.broker.backends());
        let worker = Worker::new(WorkerParams {
            client: Client::new(backends, ClientOptions::default()),
            registry: registry(),
            settings,
            hooks: Vec::new(),
            ready: None,
        });
        let worker = worker.expect("the settings make sense");
        let (health, shutdown) = (worker.health(), Shutdown::new());
        let running = tokio::spawn(worker.run(shutdown.clone()));
        let watched = Self {
            health,
            shutdown,
            running,
        };
        (watched, faults)
    }

    async fn becomes(&self, wanted: fn(Readiness) -> bool) {
        eventually("the readiness", || async {
            wanted(self.health.readiness()).then_some(())
        })
        .await;
    }

    async fn ended(self) -> Result<(), WorkerError> {
        let ended = tokio::time::timeout(DEADLINE, self.running).await;
        ended.expect("the worker ends in time").unwrap()
    }
}

/// Stalls are noticed soon.
fn attentive() -> WorkerSettings {
    WorkerSettings {
        stall: Duration::from_millis(300),
        ..settings(2)
    }
}

fn is_stalled(readiness: Readiness) -> bool {
    matches!(readiness, Readiness::Stalled(_))
}

#[tokio::test]
async fn a_worker_is_ready_from_its_start_to_its_stop() {
    let bench = Bench::new();
    let (worker, _) = Watched::start(&bench, attentive());
    worker.becomes(Readiness::is_ready).await;
    assert_eq!(bench.run(Add { x: 1, y: 2 }).await, 3);
    worker.shutdown.warm.cancel();
    worker
        .becomes(|readiness| readiness == Readiness::Stopping)
        .await;
    worker.ended().await.unwrap();
}

#[tokio::test]
async fn a_worker_whose_broker_goes_away_while_it_starts_tries_again() {
    let bench = Bench::new();
    let (worker, faults) = Watched::start(&bench, attentive());
    faults.fail_next(Call::Consumer, 1, ErrorKind::Unreachable);
    faults.fail_next(Call::Subscribe, 1, ErrorKind::Unreachable);
    assert_eq!(bench.run(Add { x: 1, y: 2 }).await, 3);
    assert_eq!(faults.calls(Call::Consumer), 2);
    worker.shutdown.warm.cancel();
    worker.ended().await.unwrap();
}

#[tokio::test]
async fn a_worker_can_be_stopped_while_it_waits_for_its_broker() {
    let bench = Bench::new();
    let (worker, faults) = Watched::start(&bench, attentive());
    faults.go_down();
    eventually("it tries again", || async {
        (faults.calls(Call::Consumer) > 1).then_some(())
    })
    .await;
    worker.shutdown.warm.cancel();
    worker.ended().await.unwrap();
}

#[tokio::test]
async fn a_worker_that_takes_nothing_repairs_itself() {
    let bench = Bench::new();
    let (worker, faults) = Watched::start(&bench, attentive());
    worker.becomes(Readiness::is_ready).await;
    let busy = key();
    let running = Sleep {
        key: busy.clone(),
        seconds: 1.0,
    };
    let running = bench.client.send(running).await.unwrap();
    eventually("it runs", || async { (runs(&busy) == 1).then_some(()) }).await;
    faults.deafen();
    let waiting = bench.client.send(Add { x: 2, y: 2 }).await.unwrap();
    assert_eq!(
        waiting.get(DEADLINE).await.unwrap(),
        4,
        "a new consumer takes it"
    );
    assert_eq!(faults.calls(Call::Consumer), 2);
    worker.becomes(Readiness::is_ready).await;
    assert!(worker.health.metrics().contains("celeriac_stalls_total 1"));
    // What the replaced consumer held when it was replaced is settled by it, at the second try.
    faults.fail_next(Call::Settle, 1, ErrorKind::Unreachable);
    assert_eq!(running.get(DEADLINE).await.unwrap(), 1);
    worker.shutdown.warm.cancel();
    worker.ended().await.unwrap();
    assert_eq!(runs(&busy), 1);
}

#[tokio::test]
async fn a_worker_that_cannot_repair_itself_ends() {
    let bench = Bench::new();
    let (worker, faults) = Watched::start(&bench, attentive());
    worker.becomes(Readiness::is_ready).await;
    faults.fail_next(Call::Consumer, usize::MAX, ErrorKind::Unreachable);
    faults.deafen();
    let key = key();
    bench.client.send(Count { key: key.clone() }).await.unwrap();
    worker.becomes(is_stalled).await;
    let error = worker.ended().await.expect_err("it gives up");
    assert!(matches!(error, WorkerError::Stalled { .. }), "{error}");
    assert_eq!(bench.ready("celery").await, 1, "others can take it");
}

#[tokio::test]
async fn a_busy_worker_is_not_stalled() {
    let bench = Bench::new();
    let (worker, faults) = Watched::start(&bench, attentive());
    let key = key();
    for _ in 0..5 {
        let sleep = Sleep {
            key: key.clone(),
            seconds: 1.0,
        };
        bench.client.send(sleep).await.unwrap();
    }
    // Two at a time for three seconds, ten times the time after which a worker counts as stalled.
    eventually("all have run", || async {
        assert!(!is_stalled(worker.health.readiness()));
        (runs(&key) == 5).then_some(())
    })
    .await;
    assert_eq!(faults.calls(Call::Consumer), 1);
    worker.shutdown.warm.cancel();
    worker.ended().await.unwrap();
}

#[tokio::test]
async fn no_more_is_held_than_there_is_room_for() {
    const SIZE: usize = 10_000;
    let bench = Bench::new();
    let roomy = WorkerSettings {
        reserve_bytes: 3 * SIZE,
        worker_prefetch_multiplier: 100,
        ..settings(1)
    };
    let busy = key();
    let first = Sleep {
        key: busy.clone(),
        seconds: 600.0,
    };
    bench.client.send(first).await.unwrap();
    let (worker, _) = Watched::start(&bench, roomy);
    eventually("it runs", || async { (runs(&busy) == 1).then_some(()) }).await;
    for _ in 0..50 {
        let large = Count {
            key: "x".repeat(SIZE),
        };
        bench.client.send(large).await.unwrap();
    }
    let held = |text: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("celeriac_messages_held "));
        line.and_then(|number| number.parse::<u64>().ok())
    };
    eventually("its room is taken", || async {
        (held(&worker.health.metrics()) == Some(4)).then_some(())
    })
    .await;
    let ready = bench.ready("celery").await;
    assert_eq!(ready, 47, "three of 50 fit");
    worker.shutdown.cold.cancel();
    worker.ended().await.unwrap();
    assert_eq!(bench.ready("celery").await, 51);
}
