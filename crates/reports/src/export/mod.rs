//! The export: every holding, cash balance, transaction, value and dividend of a range, exact.
//!
//! [`Row`] is one line; [`rows`] makes them of subjects in the fixed order; [`write_csv`] and [`write_json`] write them.

mod collect;
mod csv;
mod json;
mod row;

pub(crate) use self::csv::guarded;
pub use self::csv::write_csv;
pub use collect::{DateRange, rows};
pub use json::{Header, write_json};
pub use row::{COLUMNS, Row, Section};
