//! The figures of a walked ledger: [`PeriodFigures`] for each period, [`Closing`] for the last day, and the checks
//! that they keep on themselves. Pure; the shapes are what results and caches hold.

mod checks;
mod closing;
mod period;

pub use checks::{Inconsistency, gains_inconsistency, inconsistencies};
pub use closing::{Closing, PositionFigures};
pub use period::{
    Breakdown, PeriodFigures, PeriodTotals, ReturnSettings, RollingSummary, TwrReason,
};
