//! Children that die or are killed, and what becomes of their tasks.

use std::time::Duration;

use client::AsyncResult;
use protocol::State;
use worker::{ChildCommand, Pool, SendTask, WorkerSettings};

use super::{child, fragile, prefork};
use crate::hazards::{Crash, Devour, Hoard, WhichProcess};
use crate::support::{Bench, DEADLINE, eventually, exception, state};
use crate::tasks::Add;

#[tokio::test]
async fn a_death_is_told_with_its_signal_and_memory() {
    let bench = Bench::new();
    let worker = bench.worker(fragile(1)).await;
    let cases = [
        ("kill", "signal 9 (SIGKILL)"),
        ("abort", "signal 6 (SIGABRT)"),
        ("exit", "exitcode 3"),
    ];
    for (how, told) in cases {
        let result = bench.client.send(Crash::by(how)).await.unwrap();
        let (exc_type, text) = lost(&result).await;
        assert_eq!(exc_type, "WorkerLostError");
        let wanted = format!("Worker exited prematurely: {told} Job: ");
        assert!(text.starts_with(&wanted), "{text}");
        assert!(
            text.contains("Memory: ") && text.ends_with(" KiB."),
            "{text}"
        );
    }
    assert_eq!(bench.run(Add { x: 1, y: 1 }).await, 2);
    worker.stop().await;
}

/// A child that says that it is ready, waits for work, and then runs this script with the socket as standard input and output.
fn scripted(script: &str) -> WorkerSettings {
    let ready = r"printf '\000\000\000\005\001\000\000\000\000' >&0; head -c 1 >/dev/null";
    let script = format!("{ready}; {script}");
    WorkerSettings {
        child: Some(ChildCommand {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            env: Vec::new(),
        }),
        ..fragile(1)
    }
}

#[tokio::test]
async fn a_lost_run_is_retried_where_that_is_asked_for() {
    let bench = Bench::new();
    let retrying = WorkerSettings {
        task_retry_on_worker_lost: true,
        ..prefork(1)
    };
    let worker = bench.worker(retrying).await;
    let task = Crash::by("kill once");
    let result = bench.client.send(task).await.unwrap();
    assert_eq!(result.get(DEADLINE).await.unwrap(), "survived 1");
    worker.stop().await;
}

#[tokio::test]
async fn nonsense_from_a_child_ends_only_the_child() {
    let garbage = r"printf '\000\000\000\003\011\011\011' >&0; exec sleep 600";
    let huge = r"printf '\377\377\377\377\377' >&0; exec sleep 600";
    for script in [garbage, huge] {
        let bench = Bench::new();
        let worker = bench.worker(scripted(script)).await;
        let result = bench.client.send(WhichProcess {}).await.unwrap();
        let meta = state(&result, &State::Failure).await;
        assert!(exception(&meta).1.contains("not understood"), "{meta:?}");
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_child_that_never_answers_is_killed_at_the_hard_limit() {
    let bench = Bench::new();
    let worker = bench.worker(scripted("exec sleep 600")).await;
    let call = bench.client.call(WhichProcess {}).time_limit(0.5);
    let result = call.send().await.unwrap();
    let meta = state(&result, &State::Failure).await;
    assert_eq!(meta.exception().unwrap().exc_type, "TimeLimitExceeded");
    worker.stop().await;
}

#[tokio::test]
async fn an_idle_child_that_dies_costs_no_task() {
    let bench = Bench::new();
    let worker = bench.worker(fragile(1)).await;
    let pid = bench.run(WhichProcess {}).await;
    let victim = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
    nix::sys::signal::kill(victim, nix::sys::signal::Signal::SIGKILL).unwrap();
    assert_ne!(bench.run(WhichProcess {}).await, pid);
    worker.stop().await;
}

#[tokio::test]
async fn a_task_that_kills_its_process_three_times_is_parked_with_the_cause() {
    use broker::Admin;
    let bench = Bench::new();
    let worker = bench.worker(prefork(1)).await;
    let result = bench.client.send(Crash::by("kill")).await.unwrap();
    let (exc_type, text) = lost(&result).await;
    assert_eq!(exc_type, "WorkerLostError");
    assert!(
        text.contains("signal 9 (SIGKILL) Job: 2."),
        "three runs: {text}"
    );
    let parked = eventually("the message is parked", || async {
        bench.broker.parked(10).await.unwrap().pop()
    })
    .await;
    let wanted =
        "3 workers have died with this task; the last: Worker exited prematurely: signal 9";
    assert!(parked.reason.starts_with(wanted), "{}", parked.reason);
    assert_eq!(bench.run(Add { x: 1, y: 1 }).await, 2);
    worker.stop().await;
}

/// What others have died with runs in a child, so that it can be told apart from what only was there.
#[tokio::test]
async fn the_last_try_of_a_suspect_runs_in_a_child() {
    let bench = Bench::new();
    let result = bench.client.send(WhichProcess {}).await.unwrap();
    for _ in 0..2 {
        let (notices, _) = tokio::sync::mpsc::channel(8);
        let params = broker::ConsumerParams {
            node: "dying@test".to_owned(),
            queues: vec!["celery".to_owned()],
            order: broker::QueueOrder::default(),
            lease: Duration::from_secs(30),
            visibility_timeout: Duration::from_secs(3_600),
            limits: protocol::Limits::default(),
            notices,
        };
        let dying = bench.backends().broker.consumer(params).await.unwrap();
        let taken = dying.reserve(1).await.unwrap();
        let died = broker::Settlement::new(taken[0].tag.clone(), broker::Verdict::Died);
        dying.settle(vec![died]).await.unwrap();
        dying.close().await.unwrap();
    }
    let in_process = WorkerSettings {
        worker_pool: Pool::Async,
        ..prefork(1)
    };
    let worker = bench.worker(in_process).await;
    let process = result.get(DEADLINE).await.unwrap();
    assert_ne!(process, i64::from(std::process::id()));
    assert_eq!(
        bench.run(WhichProcess {}).await,
        i64::from(std::process::id())
    );
    worker.stop().await;
}

#[tokio::test]
async fn a_task_that_takes_too_much_memory_is_killed_while_it_runs() {
    let bench = Bench::new();
    let cap = 256 << 10;
    let capped = WorkerSettings {
        max_memory_per_task: Some(cap),
        ..fragile(1)
    };
    let worker = bench.worker(capped).await;
    bench.run(Hoard { mebibytes: 10 }).await;
    let result = bench.client.send(Devour {}).await.unwrap();
    let (exc_type, text) = lost(&result).await;
    assert_eq!(exc_type, "WorkerLostError");
    let told = text.strip_prefix("Worker exited prematurely: signal 9 (SIGKILL) Job: 1. Memory: ");
    let (memory, rest) = told
        .unwrap_or_else(|| panic!("{text}"))
        .split_once(' ')
        .unwrap();
    assert!(memory.parse::<u64>().unwrap() > cap, "{text}");
    assert_eq!(rest, format!("KiB. A task may have {cap} KiB."));
    assert_eq!(bench.run(Add { x: 1, y: 1 }).await, 2);
    worker.stop().await;
}

/// The exception of a task whose process died.
async fn lost<O>(result: &AsyncResult<O>) -> (String, String) {
    exception(&state(result, &State::Failure).await)
}

/// Without a cap of ours the system has one: an allocation that it refuses ends the process.
#[tokio::test]
async fn memory_that_the_system_refuses_is_told_as_the_signal_that_it_ends_with() {
    let bench = Bench::new();
    let itself = child();
    let program = std::env::current_exe().unwrap();
    let limited = format!("ulimit -v {}; exec \"$0\" \"$@\"", 4 << 20);
    let mut args = vec!["-c".into(), limited.into(), program.into_os_string()];
    args.extend(itself.args);
    let limited = WorkerSettings {
        child: Some(ChildCommand {
            program: "/bin/sh".into(),
            args,
            env: itself.env,
        }),
        ..fragile(1)
    };
    let worker = bench.worker(limited).await;
    let hoard = Hoard { mebibytes: 8 << 10 };
    let result = bench.client.send(hoard).await.unwrap();
    let (exc_type, text) = lost(&result).await;
    assert_eq!(exc_type, "WorkerLostError");
    assert!(text.contains("signal 6 (SIGABRT)"), "{text}");
    worker.stop().await;
}
