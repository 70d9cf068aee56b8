//! What a worker's process answers over HTTP, and what it does when its broker goes away.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use testkit::{Process, RedisServer, TempDir, wait_until};

use crate::drill::fleet::{Fleet, sqlite_in};
use crate::drill::journal::Journal;

const PATIENCE: Duration = Duration::from_secs(60);
const TOKEN: &str = "CELERIAC_HTTP_TOKEN";

fn fleet(settings: &[(&'static str, &str)]) -> Fleet {
    let folder = TempDir::new().unwrap();
    let broker = sqlite_in(folder.path());
    on(broker, folder, settings)
}

fn on(broker: String, folder: TempDir, settings: &[(&'static str, &str)]) -> Fleet {
    let settings: Vec<_> = settings
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    Fleet::new(broker, folder, &settings)
}

fn worker(fleet: &Fleet, address: &str) -> Process {
    let mut command = fleet.command("drill-worker");
    Process::spawn(command.args(["-c", "2", "-l", "INFO", "--http", address]))
}

/// Where the worker says that it answers.
pub async fn address(worker: &Process) -> String {
    let line = worker
        .wait_for_line(|line| line.contains("answering HTTP"), PATIENCE)
        .await;
    let (_, rest) = line.split_once("http://").expect(&line);
    rest.split_whitespace().next().unwrap().to_owned()
}

/// Status and body of one request.
fn ask(mut connection: impl Read + Write, path: &str, header: &str) -> (u16, String) {
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: worker\r\nconnection: close\r\n{header}\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    (status, body.to_owned())
}

pub fn get(address: &str, path: &str) -> (u16, String) {
    ask(TcpStream::connect(address).unwrap(), path, "")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_tells_that_it_consumes_and_what_it_did() {
    let fleet = fleet(&[]);
    let worker = worker(&fleet, "127.0.0.1:0");
    let address = address(&worker).await;
    assert_eq!(get(&address, "/livez"), (200, "ok\n".to_owned()));
    wait_until(PATIENCE, async || get(&address, "/readyz").0 == 200).await;
    assert_eq!(get(&address, "/").0, 404);

    fleet.send(5, 0);
    let expected = [
        r#"celeriac_tasks_finished_total{task="drill.record",queue="celery",state="SUCCESS"} 5"#,
        r#"celeriac_tasks_received_total{task="drill.record",queue="celery"} 5"#,
        r#"celeriac_task_runtime_seconds_count{task="drill.record"} 5"#,
        r#"celeriac_task_wait_seconds_count{queue="celery"} 5"#,
        r#"celeriac_settlements_total{outcome="done"} 5"#,
        "celeriac_slots 2",
        "celeriac_slots_active 0",
        "celeriac_messages_held 0",
        "celeriac_ready 1",
        "celeriac_broker_connected 1",
        "celeriac_broker_disconnects_total 0",
        "# EOF",
    ];
    // A run is counted before its settlement, so the lines come one after the other.
    let missing = |metrics: &str| {
        let is_there = |line: &&str| metrics.lines().any(|found| found == *line);
        expected.iter().filter(|line| !is_there(line)).count()
    };
    wait_until(PATIENCE, async || {
        missing(&get(&address, "/metrics").1) == 0
    })
    .await;
    let (_, metrics) = get(&address, "/metrics");
    for name in [
        "lease_age_seconds",
        "process_resident_memory_bytes",
        "queue_ready",
    ] {
        assert!(
            metrics.contains(&format!("\nceleriac_{name}")),
            "no {name} in\n{metrics}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_answers_on_a_unix_socket() {
    let fleet = fleet(&[]);
    let path = fleet.folder.path().join("worker.sock");
    let mut worker = worker(&fleet, &format!("unix:{}", path.display()));
    worker
        .wait_for_line(|line| line.contains("answering HTTP"), PATIENCE)
        .await;
    let asked = ask(UnixStream::connect(&path).unwrap(), "/livez", "");
    assert_eq!(asked.0, 200);
    worker.terminate();
    assert!(worker.wait_exit(PATIENCE).await.success());
    assert!(!path.exists(), "the socket is removed in the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_loopback_a_token_is_required() {
    let open = fleet(&[]);
    let mut refused = worker(&open, "0.0.0.0:0");
    assert_eq!(refused.wait_exit(PATIENCE).await.code(), Some(78));
    assert!(
        refused.output().contains("celeriac_http_token"),
        "{}",
        refused.output()
    );

    let guarded = fleet(&[(TOKEN, "open-sesame")]);
    let worker = worker(&guarded, "0.0.0.0:0");
    let (_, port) = address(&worker)
        .await
        .rsplit_once(':')
        .map(|(host, port)| (host.to_owned(), port.to_owned()))
        .unwrap();
    let address = format!("127.0.0.1:{port}");
    for path in ["/livez", "/readyz", "/metrics", "/elsewhere"] {
        assert_eq!(get(&address, path).0, 401, "{path}");
    }
    let shown = ask(
        TcpStream::connect(&address).unwrap(),
        "/livez",
        "authorization: Bearer open-sesame\r\n",
    );
    assert_eq!(shown.0, 200);
    assert!(!worker.output().contains("open-sesame"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_its_broker_lives_and_is_not_ready() {
    let mut redis = RedisServer::start();
    let fleet = on(
        redis.url(),
        TempDir::new().unwrap(),
        &[("CELERIAC_STALL_SECONDS", "1")],
    );
    let worker = worker(&fleet, "127.0.0.1:0");
    let address = address(&worker).await;
    wait_until(PATIENCE, async || get(&address, "/readyz").0 == 200).await;
    redis.stop();
    wait_until(PATIENCE, async || get(&address, "/readyz").0 == 503).await;
    assert_eq!(get(&address, "/readyz").1, "the broker does not answer\n");
    assert_eq!(get(&address, "/livez").0, 200);
    redis.restart();
    wait_until(PATIENCE, async || get(&address, "/readyz").0 == 200).await;
    let (_, metrics) = get(&address, "/metrics");
    assert!(
        !metrics.contains("celeriac_broker_disconnects_total 0"),
        "{metrics}"
    );
    assert!(
        metrics.contains("celeriac_stalls_total 0"),
        "an outage is no stall: {metrics}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_waits_for_its_broker_at_the_start_lives_and_is_not_ready() {
    let mut redis = RedisServer::start();
    redis.stop();
    let fleet = on(redis.url(), TempDir::new().unwrap(), &[]);
    let worker = worker(&fleet, "127.0.0.1:0");
    let address = address(&worker).await;
    assert_eq!(get(&address, "/livez").0, 200);
    for path in ["/readyz", "/metrics"] {
        assert_eq!(
            get(&address, path),
            (503, "starting\n".to_owned()),
            "{path}"
        );
    }
    redis.restart();
    wait_until(PATIENCE, async || get(&address, "/readyz").0 == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_not_to_wait_for_its_broker_ends() {
    let mut redis = RedisServer::start();
    let settings = [("CELERY_BROKER_CONNECTION_RETRY", "false")];
    let fleet = on(redis.url(), TempDir::new().unwrap(), &settings);
    let mut worker = worker(&fleet, "127.0.0.1:0");
    worker
        .wait_for_line(|line| line.contains("worker ready"), PATIENCE)
        .await;
    redis.stop();
    assert_eq!(
        worker.wait_exit(PATIENCE).await.code(),
        Some(69),
        "{}",
        worker.output()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_cancels_what_runs_only_if_told_to() {
    for cancels in [true, false] {
        let redis = RedisServer::start();
        let told = if cancels { "true" } else { "false" };
        let settings = [(
            "CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS",
            told,
        )];
        let fleet = on(redis.url(), TempDir::new().unwrap(), &settings);
        let worker = worker(&fleet, "127.0.0.1:0");
        fleet.send(1, 4_000);
        let runs = || {
            Journal::read(&fleet.journal())
                .0
                .values()
                .map(Vec::len)
                .sum::<usize>()
        };
        wait_until(PATIENCE, async || runs() == 1).await;
        redis.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
        wait_until(PATIENCE, async || {
            Journal::read(&fleet.journal()).finished() == 1
        })
        .await;
        assert_eq!(runs(), if cancels { 2 } else { 1 }, "{}", worker.output());
    }
}
