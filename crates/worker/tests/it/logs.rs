//! Every line that is logged in a run says which run it was.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Bench, DEADLINE, settings};

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

#[tokio::test]
async fn lines_of_a_run_carry_its_id_name_attempt_and_trace() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(lines.clone())
        .finish();
    let _here = tracing::subscriber::set_default(subscriber);
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
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let parsed: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for wanted in ["spoken", "task succeeded"] {
        let line = parsed
            .iter()
            .find(|line| line["fields"]["message"] == wanted)
            .unwrap_or_else(|| panic!("no {wanted}: {text}"));
        let span = &line["span"];
        assert_eq!(span["task_id"], result.id());
        assert_eq!(span["task_name"], "demo.speak");
        assert_eq!(span["attempt"], 0);
        assert_eq!(span["trace_id"], trace);
    }
}
