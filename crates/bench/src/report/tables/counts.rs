//! The tables of what is counted, not timed: allocations and instructions.

use super::{cells, table};
use crate::figures::Figures;
use crate::instructions::{InstructionsRun, Share};
use crate::report::format::{decimals, whole};
use crate::report::table::Table;

/// The table of allocations.
pub(super) fn allocations(figures: &Figures) -> Table {
    let rows = figures.allocations.iter().map(|row| {
        let figures = vec![
            decimals(row.median(|run| run.calls), 1),
            whole(row.median(|run| run.bytes)),
        ];
        let mut cells = cells(row, figures);
        if let Some(run) = row.runs.first() {
            cells[0] = format!("{}: {}", cells[0], run.figures.role.name());
        }
        cells
    });
    let title = "Allocations: calls of the allocator, and bytes, for a no-op task";
    table(title, &["allocations", "bytes"], rows)
}

/// The table of instructions.
pub(super) fn instructions(figures: &Figures) -> Table {
    let rows = figures
        .instructions
        .iter()
        .map(|row| cells(row, vec![whole(row.median(|run| run.per_task))]));
    let title = "Instructions: executed by the worker for a no-op task, by callgrind";
    table(title, &["instructions"], rows)
}

/// Where they are executed: by crate.
pub(super) fn crates(figures: &Figures) -> Table {
    let title = "Instructions by crate: generic code counts where it was written";
    shares(figures, title, "crate or library", |run| &run.crates)
}

/// Where they are executed: by function.
pub(super) fn functions(figures: &Figures) -> Table {
    let title = "Instructions by function, without those that it calls";
    shares(figures, title, "function", |run| &run.functions)
}

fn shares(
    figures: &Figures,
    title: &'static str,
    name: &'static str,
    of: impl Fn(&InstructionsRun) -> &[Share],
) -> Table {
    let mut rows = Vec::new();
    for row in &figures.instructions {
        if let Some(run) = row.runs.first() {
            let total = run.figures.per_task;
            rows.extend(of(&run.figures).iter().map(|share| {
                vec![
                    share.name.clone(),
                    row.setup.store.to_string(),
                    whole(Some(share.per_task)),
                    decimals(Some(share.per_task / total * 100.0), 1),
                ]
            }));
        }
    }
    Table {
        title,
        header: vec![name, "store", "instructions per task", "%"],
        rows,
    }
}
