//! The table of other task queues beside ours.

use crate::figures::Figures;
use crate::peers::PeerRow;
use crate::report::format::{decimals, whole};
use crate::report::table::Table;

/// The table of other task queues beside ours.
pub(super) fn peers(figures: &Figures) -> Table {
    Table {
        title: "Peers: other task queues on the same Redis server",
        header: vec![
            "what",
            "tasks/s",
            "without results",
            "worker CPU µs/task",
            "Redis CPU µs/task",
            "p50 ms",
            "p99 ms",
            "idle PSS MiB",
            "after the drain",
            "reference SET/s",
            "runs",
        ],
        rows: figures.peers.iter().map(row).collect(),
    }
}

fn row(row: &PeerRow) -> Vec<String> {
    let runs = row.note.clone();
    vec![
        row.name.clone(),
        whole(row.median(|run| run.per_s)),
        whole(row.median(|run| run.without_per_s)),
        decimals(row.median(|run| run.worker_cpu_us), 1),
        decimals(row.median(|run| run.server_cpu_us), 1),
        decimals(row.median(|run| run.p50_ms), 2),
        decimals(row.median(|run| run.p99_ms), 2),
        decimals(row.median(|run| run.idle_mib), 1),
        decimals(row.median(|run| run.drained_mib), 1),
        whole(row.median(|run| run.reference)),
        runs.unwrap_or_else(|| row.runs.len().to_string()),
    ]
}
