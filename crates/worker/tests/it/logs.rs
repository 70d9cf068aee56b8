//! Every line that is logged in a run says which run it was, and a report says what every task is doing.

use std::io::Write;
use std::sync::{Arc, Mutex};

use protocol::Map;
use serde_json::Value;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;
use worker::SendTask;

use crate::commands::ask;
use crate::support::{Bench, DEADLINE, eventually, settings};
use crate::tasks::{Block, Sleep, key, runs};

#[derive(Clone, Debug, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn parsed(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Collects what is logged on this thread from now on.
    fn here() -> (Self, DefaultGuard) {
        let lines = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_writer(lines.clone())
            .finish();
        (lines, tracing::subscriber::set_default(subscriber))
    }
}

/// The first line with this message.
fn line<'a>(lines: &'a [Value], message: &str) -> &'a Value {
    let mut lines_with = lines
        .iter()
        .filter(|line| line["fields"]["message"] == message);
    lines_with
        .next()
        .unwrap_or_else(|| panic!("no {message}: {lines:?}"))
}

#[tokio::test]
async fn a_report_tells_the_slots_of_now_and_the_pool_of_each_task() {
    let (lines, _here) = Lines::here();
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    ask(&bench, "pool_grow", Map::from_iter([("n", 2_i64)])).await;
    let (asleep, on_thread) = (key(), key());
    let seconds = 600.0;
    let sleep = Sleep {
        key: asleep.clone(),
        seconds,
    };
    let block = Block {
        key: on_thread.clone(),
        seconds,
        asks: true,
    };
    bench.client.send(sleep).await.unwrap();
    bench.client.send(block).await.unwrap();
    eventually("both run", || async {
        (runs(&asleep) + runs(&on_thread) == 2).then_some(())
    })
    .await;
    worker.health.report();
    worker.kill().await;
    let lines = lines.parsed();
    let report = line(&lines, "report of what every task is doing");
    assert_eq!(report["fields"]["slots"], 3);
    let told = lines
        .iter()
        .filter(|line| line["fields"]["message"] == "task runs");
    let mut pools: Vec<&str> = told
        .map(|line| line["fields"]["pool"].as_str().unwrap())
        .collect();
    pools.sort_unstable();
    assert_eq!(pools, ["async", "threads"]);
}

#[tokio::test]
async fn lines_of_a_run_carry_its_id_name_attempt_and_trace() {
    let (lines, _here) = Lines::here();
    let bench = Bench::new();
    let worker = bench.worker(settings(1)).await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let call = bench
        .client
        .task::<()>("demo.speak")
        .header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"));
    let result = call.send().await.unwrap();
    result.get(DEADLINE).await.unwrap();
    worker.stop().await;
    let lines = lines.parsed();
    for wanted in ["spoken", "task succeeded"] {
        let span = &line(&lines, wanted)["span"];
        assert_eq!(span["task_id"], result.id());
        assert_eq!(span["task_name"], "demo.speak");
        assert_eq!(span["attempt"], 0);
        assert_eq!(span["trace_id"], trace);
    }
}
