//! Allocations for a task: a change that needs more of them must say so here.

use std::fs;
use std::process::Command;

use serde_json::Value;

/// Calls of the allocator for a no-op task on Redis at the most, a tenth or so more than are counted: by the worker with 100
/// slots, by the same with events on, by a producer that publishes one by one, and by one that publishes in batches.
const BOUNDS: [(&str, f64); 4] = [
    ("worker", 56.0),
    ("telling_worker", 88.0),
    ("publish_one", 80.0),
    ("publish_batch", 64.0),
];

#[test]
fn a_task_needs_no_more_allocations_than_are_allowed() {
    let folder = testkit::TempDir::new().unwrap();
    let file = folder.path().join("figures.json");
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["allocations", "--only", "Redis", "--json"])
        .arg(&file)
        .env("BENCH_COUNTING", env!("CARGO_BIN_EXE_bench-counting"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let figures: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    for (role, bound) in BOUNDS {
        let calls = calls(&figures, role);
        assert!(
            0.0 < calls && calls <= bound,
            "{role}: {calls} allocations for a task, {bound} are allowed"
        );
    }
}

fn calls(figures: &Value, role: &str) -> f64 {
    let rows = figures["allocations"].as_array().into_iter().flatten();
    let run = rows
        .map(|row| &row["runs"][0])
        .find(|run| run["role"] == role)
        .unwrap_or_else(|| panic!("no figures of {role}: {figures}"));
    run["calls"].as_f64().expect("a count is a number")
}
