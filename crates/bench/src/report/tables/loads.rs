//! The tables of what goes beyond one drain: publishing, long queues, waiting and computing tasks, canvas, remote control.

use super::{cells, table};
use crate::canvas::{self, CanvasRun};
use crate::figures::Figures;
use crate::publish::PublishRun;
use crate::report::format::{decimals, times, whole};
use crate::report::table::Table;
use crate::setup::Engine;

/// The table of publishing.
pub(super) fn publish(figures: &Figures) -> Table {
    let rows = figures.publish.iter().map(|row| {
        let figures = vec![
            whole(row.median(|run| run.one_by_one_per_s)),
            times(row.ratio_to_celery(&figures.publish, |run| run.one_by_one_per_s)),
            decimals(row.median_of(PublishRun::of_raw), 2),
            whole(row.median_of(|run| run.batch_per_s)),
            whole(row.median_of(|run| run.concurrent_per_s)),
        ];
        cells(row, figures)
    });
    let figures = [
        "one by one /s",
        "to Celery",
        "of raw LPUSH",
        "in batches /s",
        "1,000 producers /s",
    ];
    table("Publish: tasks a second", &figures, rows)
}

/// The table of depths.
pub(super) fn depth(figures: &Figures) -> Table {
    let rows = figures.depth.iter().map(|row| {
        let depth = row.runs.first().map(|run| run.figures.depth as f64);
        let figures = vec![
            whole(depth),
            whole(row.median_of(|run| run.per_s)),
            decimals(row.median_of(|run| run.server_cpu_us), 1),
            whole(row.median(|run| run.bytes)),
        ];
        cells(row, figures)
    });
    let figures = [
        "queued",
        "tasks/s",
        "Redis CPU µs/task",
        "Redis bytes per queued task",
    ];
    table("Depth: short and long queues", &figures, rows)
}

/// The table of tasks that wait.
pub(super) fn eta(figures: &Figures) -> Table {
    let rows = figures.eta.iter().map(|row| {
        let figures = vec![
            whole(row.runs.first().map(|run| run.figures.tasks as f64)),
            decimals(row.median(|run| run.idle_mib), 1),
            decimals(row.median(|run| run.waiting_mib), 1),
            decimals(row.median(|run| run.p50_ms), 1),
            decimals(row.median(|run| run.p99_ms), 1),
            decimals(row.median(|run| run.max_ms), 1),
        ];
        cells(row, figures)
    });
    let figures = [
        "waiting",
        "idle PSS MiB",
        "PSS MiB with them",
        "late p50 ms",
        "p99 ms",
        "max ms",
    ];
    table(
        "ETA: tasks that wait for their time, 5,000 due a second",
        &figures,
        rows,
    )
}

/// The table of computing tasks.
pub(super) fn spin(figures: &Figures) -> Table {
    let rows = figures.spin.iter().map(|row| {
        let figures = vec![
            decimals(row.median(|run| run.alone_ms), 2),
            whole(row.median(|run| run.ideal_per_s)),
            whole(row.median(|run| run.per_s)),
            decimals(row.median(|run| run.per_s / run.ideal_per_s), 2),
        ];
        cells(row, figures)
    });
    let figures = ["one alone ms", "ideal/s", "tasks/s", "of the ideal"];
    table("Spin: tasks that compute for 5 ms", &figures, rows)
}

/// The table of work-flows.
pub(super) fn canvas(figures: &Figures) -> Table {
    let rows = figures.canvas.iter().map(|row| {
        let first = row.runs.first().map(|run| &run.figures);
        let per_s = row.median(CanvasRun::per_s);
        let celerys = first
            .filter(|_| row.setup.engine == Engine::Celeriac)
            .and_then(|run| canvas::per_s(&figures.canvas, Engine::Celery, run.flow, run.tasks));
        let figures = vec![
            whole(first.map(|run| run.tasks as f64)),
            decimals(row.median(|run| run.seconds * 1e3), 1),
            whole(per_s),
            times(per_s.zip(celerys).map(|(ours, theirs)| ours / theirs)),
        ];
        let mut cells = cells(row, figures);
        if let Some(run) = first {
            cells[0] = format!("{}, {}", cells[0], run.flow.name());
        }
        cells
    });
    let figures = ["tasks", "ms", "tasks/s", "to Celery"];
    table(
        "Canvas: from before sending until the result is there",
        &figures,
        rows,
    )
}

/// The table of remote control and events.
pub(super) fn control(figures: &Figures) -> Table {
    let rows = figures.control.iter().map(|row| {
        let figures = vec![
            decimals(row.median(|run| run.idle_p50_ms), 2),
            decimals(row.median(|run| run.idle_p99_ms), 2),
            decimals(row.median(|run| run.busy_p50_ms), 2),
            decimals(row.median(|run| run.busy_p99_ms), 2),
            whole(row.median(|run| run.quiet_per_s)),
            whole(row.median(|run| run.telling_per_s)),
            decimals(row.median(|run| run.telling_per_s / run.quiet_per_s), 2),
            decimals(row.median(|run| run.heard_per_task), 2),
        ];
        cells(row, figures)
    });
    let figures = [
        "ping p50 ms, idle",
        "p99 ms",
        "p50 ms, busy",
        "p99 ms",
        "tasks/s",
        "with events",
        "of it",
        "events heard per task",
    ];
    table(
        "Control: answers of a worker; events with two listeners",
        &figures,
        rows,
    )
}
