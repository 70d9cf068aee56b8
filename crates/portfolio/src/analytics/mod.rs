//! Refreshing portfolio analytics: load, compute, save.
//!
//! Loading and saving are async (`load`, `save`), computing is pure (`compute`) and shared out over the cores (`batch`).
//! One portfolio's error stops that portfolio only. What has the same input hash as before is not computed again.
//! Printing, retries and limits belong to the task that calls.

mod batch;
mod calendars;
mod compute;
mod dashboard;
mod digest;
mod envelope;
mod hash;
mod load;
mod overview;
mod performance;
mod period;
mod portion;
mod refresh;
mod remembered;
mod request;
mod save;
mod snapshot;
mod states;
pub(crate) mod stored;
mod tally;
mod view;

pub use dashboard::{PARTS, Refreshed, dashboard_key, expiring_parts, refresh_dashboard};
pub use envelope::{Envelope, Issue, ItemId, RefreshData, Status, TopEntry, Total};
pub use overview::{GlobalOverview, UserSummary};
pub use performance::{
    NamedFigures, Performance, PerformanceData, PerformanceRequest, PortfolioPerformance,
    performance,
};
pub use period::Period;
pub use refresh::{TASK, refresh};
pub use request::RefreshRequest;
pub use snapshot::{SnapshotData, SnapshotRequest, create_snapshots};
pub use view::{View, Viewed, owned_portfolio, view, view_with_plan};

use jiff::civil::Date;

use crate::error::Result;
use crate::store::{Store, SummaryRow};

/// The overview table: a row for each active portfolio and period, shortest period first. `as_of` leaves out rows of
/// other days.
pub async fn summary(store: &Store, as_of: Option<Date>) -> Result<Vec<SummaryRow>> {
    let mut rows = store.summary(as_of).await?;
    let turn = |row: &SummaryRow| {
        Period::STORED
            .iter()
            .position(|period| period.as_str() == row.period)
    };
    rows.sort_by_key(|row| (row.portfolio_id, turn(row)));
    Ok(rows)
}
