//! Tasks in child processes: what works there as anywhere, and what can be done to them.

mod deaths;
mod replaced;

use std::time::Duration;

use client::{AsyncResult, Client};
use futures_util::FutureExt;
use protocol::{Map, State, Value};
use worker::{ChildCommand, ChildParams, Pool, SendTask, WorkerSettings, run_child};

use crate::hazards::{Crash, Spin, WhichProcess};
use crate::support::{Bench, DEADLINE, eventually, exception, settings, state};
use crate::tasks::{Add, Patient, Sleep, Spawn, key};

const CHILD: &str = "CELERIAC_TEST_POOL_CHILD";

/// Not a test of its own: this program, started by a test below as a child process, runs the tasks that come.
#[test]
fn child_process() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let params = ChildParams {
        registry: crate::tasks::registry(),
        settings: settings(1),
        hooks: Vec::new(),
        client: Box::new(|| {
            let backends = broker::MemoryBroker::new().backends();
            async move { Ok(Client::new(backends, client::ClientOptions::default())) }.boxed()
        }),
    };
    runtime.block_on(run_child(params)).unwrap();
    std::process::exit(0);
}

/// This program as a child.
fn child() -> ChildCommand {
    let args = ["--exact", "prefork::child_process", "--nocapture"];
    let mut command = ChildCommand::this_program(args.map(Into::into).to_vec()).unwrap();
    command.env.push((CHILD.into(), "1".into()));
    command
}

fn prefork(concurrency: usize) -> WorkerSettings {
    WorkerSettings {
        worker_pool: Pool::Prefork,
        child: Some(child()),
        ..settings(concurrency)
    }
}

/// As [`prefork`], with tasks that are not run again when their process dies.
fn fragile(concurrency: usize) -> WorkerSettings {
    WorkerSettings {
        task_reject_on_worker_lost: false,
        ..prefork(concurrency)
    }
}

/// Starts a task that computes for so long in the one child; returns its result and the child's process.
async fn spinning(bench: &Bench, seconds: f64) -> (AsyncResult<()>, i64) {
    let spin = Spin {
        seconds,
        asks: false,
    };
    let result = bench.client.send(spin).await.unwrap();
    state(&result, &State::Custom("SPINNING".to_owned())).await;
    (result, processes(bench).await[0])
}

async fn processes(bench: &Bench) -> Vec<i64> {
    let request = bench.client.control().request("stats", Map::new());
    let to_it = request.destination(vec!["w1@test".to_owned()]);
    let replies = to_it.timeout(DEADLINE).collect().await.unwrap();
    let pool = replies[0].value.get("pool").unwrap();
    let pids = pool.get("processes").and_then(Value::as_list).unwrap();
    pids.iter().filter_map(Value::as_i64).collect()
}

fn is_alive(pid: i64) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn a_child_runs_tasks_and_is_used_again() {
    let bench = Bench::new();
    let worker = bench.worker(prefork(1)).await;
    let first = bench.run(WhichProcess {}).await;
    assert_ne!(first, i64::from(std::process::id()));
    assert_eq!(bench.run(WhichProcess {}).await, first);
    assert_eq!(processes(&bench).await, [first]);
    let result = bench.client.send(Spawn { x: 1 }).await.unwrap();
    let child_id = result.get(DEADLINE).await.unwrap();
    let meta = state(&result, &State::Success).await;
    let children = meta.children.unwrap();
    assert_eq!(children[0].id, child_id, "what the task sent is recorded");
    worker.stop().await;
    eventually("the child ends with its worker", || async {
        (!is_alive(first)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn outcomes_cross_the_border_unchanged() {
    let bench = Bench::new();
    let worker = bench.worker(prefork(2)).await;
    assert_eq!(bench.run(Add { x: 2, y: 3 }).await, 5);
    let cases = [
        ("raise", State::Failure, "ValueError"),
        ("panic", State::Failure, "RuntimeError"),
        ("reject", State::Failure, "Reject"),
    ];
    for (how, wanted, exc_type) in cases {
        let task = Crash::by(how);
        let result = bench.client.send(task).await.unwrap();
        let meta = state(&result, &wanted).await;
        assert_eq!(exception(&meta).0, exc_type, "{how}");
    }
    let retried = bench.client.send(Crash::by("retry")).await.unwrap();
    assert_eq!(retried.get(DEADLINE).await.unwrap(), "retried 1");
    let replaced = bench.client.send(Crash::by("replace")).await.unwrap();
    assert_eq!(bench.number(replaced.id()).await, 42);
    let progressed = bench.client.send(Crash::by("progress")).await.unwrap();
    assert_eq!(progressed.get(DEADLINE).await.unwrap(), "stored");
    worker.stop().await;
}

#[tokio::test]
async fn a_busy_loop_is_killed_at_its_hard_limit_and_the_slot_is_free() {
    let bench = Bench::new();
    let worker = bench.worker(prefork(1)).await;
    let spin = Spin {
        seconds: 600.0,
        asks: false,
    };
    let call = bench.client.call(spin).time_limit(1.0);
    let result = call.send().await.unwrap();
    let meta = state(&result, &State::Failure).await;
    let exception = meta.exception().unwrap();
    assert_eq!(exception.exc_type, "TimeLimitExceeded");
    assert_eq!(exception.exc_message, [Value::Int(1)]);
    let found = meta.traceback.expect("where it hung is told");
    assert!(
        found.contains("VmRSS") && found.contains(" runs"),
        "{found}"
    );
    assert!(found.contains("SPINNING"), "its last state: {found}");
    assert_eq!(bench.run(Add { x: 1, y: 1 }).await, 2);
    worker.stop().await;
}

#[tokio::test]
async fn the_soft_limit_reaches_a_child_as_a_cancellation() {
    let bench = Bench::new();
    let worker = bench.worker(prefork(1)).await;
    let patient = bench.client.call(Patient).soft_time_limit(0.2);
    let result = patient.send().await.unwrap();
    assert_eq!(result.get(DEADLINE).await.unwrap(), "cleaned up");
    let asking = Spin {
        seconds: 600.0,
        asks: true,
    };
    let sleeping = Sleep {
        key: key(),
        seconds: 600.0,
    };
    let spun = bench.client.call(asking).soft_time_limit(0.2);
    let slept = bench.client.call(sleeping).soft_time_limit(0.2);
    let (spun, slept) = (spun.send().await.unwrap(), slept.send().await.unwrap());
    for meta in [
        state(&spun, &State::Failure).await,
        state(&slept, &State::Failure).await,
    ] {
        assert_eq!(exception(&meta).0, "SoftTimeLimitExceeded");
    }
    worker.stop().await;
}

#[tokio::test]
async fn terminate_sends_the_signal_to_the_child() {
    let bench = Bench::new();
    let worker = bench.worker(prefork(1)).await;
    let (result, pid) = spinning(&bench, 600.0).await;
    let arguments = Map::from_iter([
        ("task_id", Value::from(result.id())),
        ("signal", "SIGTERM".into()),
    ]);
    let request = bench.client.control().request("terminate", arguments);
    request.send().await.unwrap();
    state(&result, &State::Revoked).await;
    assert!(!is_alive(pid), "the process is gone");
    assert_ne!(bench.run(WhichProcess {}).await, pid);
    worker.stop().await;
}

#[tokio::test]
async fn a_cold_stop_kills_the_child_and_gives_the_message_back() {
    let bench = Bench::new();
    let worker = bench.worker(prefork(1)).await;
    let (_, pid) = spinning(&bench, 600.0).await;
    worker.kill().await;
    assert!(!is_alive(pid));
    assert_eq!(bench.ready("celery").await, 1);
}

#[tokio::test]
async fn a_child_that_cannot_be_started_costs_no_task() {
    let bench = Bench::new();
    let broken = WorkerSettings {
        child: Some(ChildCommand {
            program: "/bin/false".into(),
            args: Vec::new(),
            env: Vec::new(),
        }),
        ..prefork(1)
    };
    let worker = bench.worker(broken).await;
    let result = bench.client.send(WhichProcess {}).await.unwrap();
    use broker::Admin;
    eventually("the message waits for another try", || async {
        let waiting = bench.broker.deferred(10).await.unwrap();
        (waiting.len() == 1).then_some(())
    })
    .await;
    worker.stop().await;
    let worker = bench.worker(prefork(1)).await;
    let pid = tokio::time::timeout(Duration::from_secs(30), result.get(DEADLINE));
    assert!(pid.await.unwrap().unwrap() > 0, "it runs after its wait");
    worker.stop().await;
}

#[tokio::test]
async fn a_worker_that_cannot_have_children_refuses_their_tasks() {
    let bench = Bench::new();
    let params = worker::WorkerParams {
        client: bench.client.clone(),
        registry: worker::Registry::new().prefork::<WhichProcess>(),
        settings: settings(1),
        hooks: Vec::new(),
        ready: None,
    };
    let error = worker::Worker::new(params).expect_err("it is refused");
    assert!(error.to_string().contains("child processes"), "{error}");
}
