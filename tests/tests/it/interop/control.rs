//! Remote control, mingle and elections between Python and Rust.

use testkit::{Process, RedisServer, TempDir, wait_until};

use super::{PATIENCE, python, script, scripts};
use crate::drill::fleet::Fleet;
use crate::drill::journal::Journal;

/// A Rust worker under this name, when it listens to remote control.
async fn named(fleet: &Fleet, name: &str, options: &[&str]) -> Process {
    let arguments = [&["-Q", "celery", "-n", name][..], options].concat();
    let worker = Process::spawn(fleet.command("drill-worker").args(arguments));
    worker
        .wait_for_line(|line| line.contains("worker ready"), PATIENCE)
        .await;
    worker
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_celery_is_answered_as_by_celery() {
    let redis = RedisServer::start();
    let fleet = Fleet::new(redis.url(), TempDir::new().unwrap(), &[]);
    let _worker = named(&fleet, "w1@rust", &[]).await;
    let answers = script(&redis.url(), "control_answers.py", &["w1@rust"]);
    assert_eq!(answers.trim(), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_python_revokes_with_no_rust_worker_there_a_new_one_learns_by_mingling() {
    let redis = RedisServer::start();
    let fleet = Fleet::new(redis.url(), TempDir::new().unwrap(), &[]);
    let snake =
        python(&redis.url()).spawn_worker(&scripts(), "interop", &["-P", "solo", "-n", "w1@snake"]);
    snake
        .wait_for_line(|line| line.contains(" ready."), PATIENCE)
        .await;
    let revoke = "from interop import app; print(app.control.revoke('gone', reply=True, timeout=20, destination=['w1@snake']))";
    let answer = python(&redis.url()).run(&scripts(), revoke);
    assert!(answer.contains("flagged as revoked"), "{answer}");

    let worker = named(&fleet, "w1@rust", &[]).await;
    worker
        .wait_for_line(|line| line.contains("mingled with other workers"), PATIENCE)
        .await;
    let revoked =
        "from interop import app; print(app.control.inspect(['w1@rust'], timeout=20).revoked())";
    let revoked = python(&redis.url()).run(&scripts(), revoked);
    assert_eq!(revoked.trim(), "{'w1@rust': ['gone']}");
}

#[tokio::test(flavor = "multi_thread")]
async fn python_and_rust_workers_elect_one_among_them() {
    let redis = RedisServer::start();
    let fleet = Fleet::new(redis.url(), TempDir::new().unwrap(), &[]);
    let journal = fleet.journal();
    let snake =
        python(&redis.url()).spawn_worker(&scripts(), "interop", &["-P", "solo", "-n", "w1@snake"]);
    snake
        .wait_for_line(|line| line.contains(" ready."), PATIENCE)
        .await;
    let workers = [
        named(&fleet, "w1@rust", &[]).await,
        named(&fleet, "w2@rust", &[]).await,
    ];
    let events = python(&redis.url()).spawn_module(
        &scripts(),
        "celery",
        &["-A", "interop", "events", "--dump"],
    );
    // Each has heard of the others when each has sent a heartbeat since the last one came.
    for name in ["w1@snake", "w1@rust", "w2@rust"] {
        events
            .wait_for_line(
                |line| line.contains(name) && line.contains("heartbeat"),
                PATIENCE,
            )
            .await;
    }
    script(&redis.url(), "elects.py", &[journal.to_str().unwrap()]);
    let elected =
        |output: String| output.contains("won the election") || output.contains("elected for");
    wait_until(PATIENCE, async || {
        workers.iter().all(|worker| elected(worker.output()))
    })
    .await;
    wait_until(PATIENCE, async || Journal::read(&journal).finished() == 1).await;
    assert_eq!(
        Journal::read(&journal)
            .0
            .values()
            .map(Vec::len)
            .sum::<usize>(),
        1
    );
}
