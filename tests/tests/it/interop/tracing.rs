//! Traces that cross from one side to the other, with OpenTelemetry's own instrumentation of Python Celery.

use testkit::{Process, RedisServer, TempDir, bin};

use super::conformance::worker;
use super::{PATIENCE, python, scripts};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

#[tokio::test(flavor = "multi_thread")]
async fn tasks_of_an_instrumented_producer_run_and_stay_in_its_trace() {
    let redis = RedisServer::start();
    let worker = worker(&redis);
    let seen = python(&redis.url()).run_file(&scripts().join("traced.py"), &[]);
    assert_eq!(seen, "ok\n", "{}", worker.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instrumented_python_worker_joins_a_trace_that_comes_from_here() {
    let (redis, folder) = (RedisServer::start(), TempDir::new().unwrap());
    let url = redis.url();
    let snake = python(&url).spawn_worker(&scripts(), "traced", &["-P", "solo"]);
    snake
        .wait_for_line(|line| line.contains(" ready."), PATIENCE)
        .await;
    let headers = format!(r#"{{"traceparent": "00-{TRACE}-{SPAN}-01"}}"#);
    let mut call = std::process::Command::new(bin("celeriac"));
    call.current_dir(folder.path())
        .args(["-b", &url, "--result-backend", &url, "call", "drill.echo"])
        .args(["-a", "[7]", "--wait", "--headers", &headers]);
    let call = Process::spawn(&mut call);
    call.wait_for_line(|line| line == "7", PATIENCE).await;
    let joined = format!("span {TRACE} {SPAN} CONSUMER run/drill.echo");
    snake
        .wait_for_line(|line| line.contains(&joined), PATIENCE)
        .await;
}
