//! The table of the pure parts.

use crate::figures::Figures;
use crate::micro::MicroRow;
use crate::report::format::{times, whole};
use crate::report::table::Table;

/// The table of the pure parts.
pub(super) fn micro(figures: &Figures) -> Table {
    let row = |row: &MicroRow| {
        vec![
            row.name.clone(),
            whole(Some(row.ns)),
            whole(row.celery_ns),
            times(row.celery_ns.map(|celery| celery / row.ns)),
        ]
    };
    Table {
        title: "Pure parts: one call, by criterion",
        header: vec!["what", "ns", "Celery ns", "Celery's to it"],
        rows: figures.micro.iter().map(row).collect(),
    }
}
