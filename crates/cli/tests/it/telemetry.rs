//! What a program tells others about itself: traces over OTLP, and its state to systemd.

use std::io::Read;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use testkit::{Process, bin};

use crate::sandbox::{PATIENCE, Sandbox};

fn worker(sandbox: &Sandbox, variables: &[(&str, &str)]) -> Process {
    Process::spawn(
        Command::new(bin("celeriac-worker-maintenance"))
            .args(["-Q", "default", "-n", "t@test"])
            .current_dir(sandbox.path())
            .env_clear()
            .envs(variables.iter().copied()),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_leave_over_grpc_when_an_endpoint_is_set() {
    let sandbox = Sandbox::new();
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let first_bytes = std::thread::spawn(move || {
        let (mut connection, _) = collector.accept().unwrap();
        let mut bytes = [0; 14];
        connection.read_exact(&mut bytes).unwrap();
        bytes
    });
    let mut worker = worker(&sandbox, &[("CELERIAC_OTLP_ENDPOINT", &endpoint)]);
    sandbox
        .run(&[
            "call",
            "finflow.core.tasks.test_task",
            "--queue",
            "default",
            "--wait",
        ])
        .success();
    worker.terminate();
    let bytes = tokio::task::spawn_blocking(|| first_bytes.join().unwrap())
        .await
        .unwrap();
    assert_eq!(
        &bytes, b"PRI * HTTP/2.0",
        "the preface of HTTP/2, which gRPC speaks"
    );
    assert!(worker.wait_exit(PATIENCE).await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_hears_of_every_stage() {
    let sandbox = Sandbox::new();
    let path = sandbox.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let variables = [
        ("NOTIFY_SOCKET", path.to_str().unwrap()),
        ("WATCHDOG_USEC", "3000000"),
    ];
    let mut worker = worker(&sandbox, &variables);
    let hear = |wanted: &str| {
        let mut buffer = [0; 1_024];
        loop {
            let length = socket.recv(&mut buffer).expect("systemd is told in time");
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if text.contains(wanted) {
                return text;
            }
        }
    };
    let ready = hear("READY=1");
    assert!(ready.contains("STATUS=t@test consumes default"), "{ready}");
    hear("WATCHDOG=1");
    worker.terminate();
    hear("STOPPING=1");
    assert!(worker.wait_exit(PATIENCE).await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_not_there_yet_is_waited_for() {
    let sandbox = Sandbox::new();
    let url = format!("redis://127.0.0.1:{}/0", testkit::free_port());
    let mut waiting = worker(&sandbox, &[("CELERY_BROKER_URL", &url)]);
    waiting
        .wait_for_line(
            |line| line.contains("trying again in 2s (1 of 100)"),
            PATIENCE,
        )
        .await;
    waiting.terminate();
    assert!(waiting.wait_exit(PATIENCE).await.success());

    let once = ("CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP", "false");
    let mut hasty = worker(&sandbox, &[("CELERY_BROKER_URL", &url), once]);
    assert_eq!(hasty.wait_exit(PATIENCE).await.code(), Some(69));
}
