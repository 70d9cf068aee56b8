//! The tables of a report, one function each.

mod counts;
mod loads;
mod micro;
mod peers;

use super::format::{decimals, times, whole};
use super::table::Table;
use crate::drain::DrainRun;
use crate::figures::{Figures, Part};
use crate::row::Row;
use crate::setup::Engine;

/// All tables that have rows.
pub(crate) fn all(figures: &Figures) -> Vec<Table> {
    let tables = [
        drain(figures),
        latency(figures),
        memory(figures),
        start(figures),
        loads::publish(figures),
        loads::depth(figures),
        loads::eta(figures),
        loads::spin(figures),
        loads::canvas(figures),
        loads::control(figures),
        beat(figures),
        peers::peers(figures),
        micro::micro(figures),
        counts::allocations(figures),
        counts::instructions(figures),
        counts::crates(figures),
        counts::functions(figures),
    ];
    tables
        .into_iter()
        .filter(|table| !table.rows.is_empty())
        .collect()
}

/// The table of what became of each measurement.
pub(crate) fn parts(figures: &Figures) -> Table {
    let row = |part: &Part| {
        let failed = part
            .error
            .clone()
            .map(|error| format!("**failed**: {error}"));
        let result = failed.unwrap_or_else(|| "measured".to_owned());
        vec![part.what.clone(), whole(Some(part.seconds)), result]
    };
    Table {
        title: "The run",
        header: vec!["measurement", "seconds", "result"],
        rows: figures.parts.iter().map(row).collect(),
    }
}

/// The table of drains.
fn drain(figures: &Figures) -> Table {
    let rows = figures.drain.iter().map(|row| {
        let tasks = row.runs.first().map(|run| run.figures.tasks as f64);
        let figures = vec![
            whole(tasks),
            whole(row.median(|run| run.per_s)),
            times(row.ratio_to_celery(&figures.drain, |run| run.per_s)),
            decimals(row.median_of(DrainRun::of_limit), 2),
            decimals(row.median(|run| run.worker_cpu_us), 1),
            decimals(row.median_of(|run| run.server_cpu_us), 1),
            decimals(row.median_of(|run| Some(run.limit?.server_cpu_us)), 1),
            decimals(row.median(|run| run.pss_mib), 1),
        ];
        cells(row, figures)
    });
    let figures = [
        "tasks",
        "tasks/s",
        "to Celery",
        "of the limit",
        "worker CPU µs/task",
        "Redis CPU µs/task",
        "of it at the limit",
        "PSS MiB",
    ];
    table("Drain: no-op tasks a second", &figures, rows)
}

/// The table of latencies.
fn latency(figures: &Figures) -> Table {
    let rows = figures.latency.iter().map(|row| {
        let figures = vec![
            decimals(row.median(|run| run.p50_ms), 2),
            decimals(row.median(|run| run.p95_ms), 2),
            decimals(row.median(|run| run.p99_ms), 2),
            decimals(row.median(|run| run.max_ms), 2),
            less_than_celery(row, &figures.latency, |run| run.p50_ms),
        ];
        cells(row, figures)
    });
    let figures = ["p50 ms", "p95 ms", "p99 ms", "max ms", "Celery's p50 to it"];
    table(
        "Latency: one task every 20 ms, from before publishing to its first statement",
        &figures,
        rows,
    )
}

/// The table of memory.
fn memory(figures: &Figures) -> Table {
    let rows = figures.memory.iter().map(|row| {
        let figures = vec![
            whole(row.median(|run| run.processes as f64)),
            decimals(row.median(|run| run.idle_mib), 1),
            decimals(row.median(|run| run.drained_mib), 1),
            less_than_celery(row, &figures.memory, |run| run.idle_mib),
        ];
        cells(row, figures)
    });
    let figures = [
        "processes",
        "idle PSS MiB",
        "PSS MiB after a drain",
        "Celery's idle to it",
    ];
    table(
        "Memory: a worker with events and remote control",
        &figures,
        rows,
    )
}

/// The table of starts.
fn start(figures: &Figures) -> Table {
    let rows = figures.start.iter().map(|row| {
        let figures = vec![
            decimals(row.median(|run| run.ms), 1),
            less_than_celery(row, &figures.start, |run| run.ms),
        ];
        cells(row, figures)
    });
    table(
        "Start: from exec to the first statement of a queued task",
        &["ms", "Celery's to it"],
        rows,
    )
}

/// The table of schedulers.
fn beat(figures: &Figures) -> Table {
    let rows = figures.beat.iter().map(|row| {
        let first = row.runs.first().map(|run| &run.figures);
        let start = row.median(|run| run.start_s.unwrap_or_default());
        let failover = row.median(|run| run.failover_s.unwrap_or_default());
        let figures = vec![
            whole(first.map(|run| run.entries as f64)),
            decimals(row.median(|run| run.first_start_s), 2),
            decimals(start.filter(|start| *start > 0.0), 2),
            whole(first.map(|run| run.due_per_s)),
            whole(row.median(|run| run.per_s)),
            decimals(row.median(|run| run.cpu_us), 1),
            decimals(row.median(|run| run.start_mib), 1),
            decimals(row.median(|run| run.end_mib), 1),
            decimals(failover.filter(|failover| *failover > 0.0), 2),
        ];
        let mut cells = cells(row, figures);
        cells[0] = match row.setup.engine {
            Engine::Celeriac => format!("Celeriac on {}", row.setup.store),
            Engine::Celery => "django-celery-beat on SQLite, Redis as broker".to_owned(),
        };
        cells
    });
    let figures = [
        "entries",
        "first start s",
        "start s",
        "due/s",
        "sent/s",
        "CPU µs/task",
        "PSS MiB before",
        "PSS MiB after",
        "failover s",
    ];
    table("Beat: a scheduler with many entries", &figures, rows)
}

fn table(
    title: &'static str,
    figures: &[&'static str],
    rows: impl Iterator<Item = Vec<String>>,
) -> Table {
    let header = ["what"]
        .iter()
        .chain(figures)
        .chain(&["reference SET/s", "runs"])
        .copied()
        .collect();
    Table {
        title,
        header,
        rows: rows.collect(),
    }
}

/// The row's name, its figures, the server's reference figure, and the number of runs or why there are none.
fn cells<R>(row: &Row<R>, figures: Vec<String>) -> Vec<String> {
    let runs = match &row.note {
        None => row.runs.len().to_string(),
        Some(note) => note.clone(),
    };
    let around = [whole(row.reference()), runs];
    std::iter::once(row.setup.to_string())
        .chain(figures)
        .chain(around)
        .collect()
}

/// How many times Celery's figure is ours, for figures of which less is better.
fn less_than_celery<R>(row: &Row<R>, rows: &[Row<R>], figure: impl Fn(&R) -> f64) -> String {
    times(row.ratio_to_celery(rows, figure).map(f64::recip))
}
