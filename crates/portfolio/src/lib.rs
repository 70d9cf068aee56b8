//! The finance domain: ledger, prices, figures. No task queue in it.
//!
//! The map, from the ground up; each part knows only those above it:
//!
//! * [`decimal`], [`money`]: exact numbers and currencies. [`carried`], [`fx`], [`market`]: what the
//!   world says: observations that hold until the next, exchange rates, assets. Sessions come from `calendar`.
//! * [`ledger`]: rows applied in order to lots and cash. [`valuation`]: what that is worth on a day.
//! * [`series`], [`returns`]: a ledger walked day by day, and its daily returns and contributions.
//! * [`metrics`], [`xirr`], [`dietz`], [`allocation`], [`income`], [`index`]: parts that
//!   [`figures`] joins for a period and for the last day.
//! * [`targets`]: how a portfolio is meant to be divided, and the trades that bring it there.
//! * [`gains`]: where the profit of a period came from: prices, dividends, currencies.
//! * [`attribution`], [`reconcile`]: a portfolio beside its benchmark, an account beside its custodian's statement.
//! * [`store`]: the database. [`import`]: CSV files into it. [`demo`]: a sample to look at.
//! * [`backup`]: all rows of one moment in a file, and back.
//! * [`analytics`], [`reconciliation`]: all of it together: load, compute, save.
//!
//! Computation is synchronous and pure; only [`store`], [`import`], [`demo`], [`analytics`] and [`reconciliation`] are async.

pub mod allocation;
pub mod analytics;
pub mod attribution;
pub mod backup;
mod by_id;
pub mod carried;
mod cores;
mod dates;
pub mod decimal;
pub mod demo;
pub mod dietz;
pub mod engine;
pub mod error;
pub mod figures;
pub mod fx;
pub mod gains;
mod grouping;
pub mod import;
pub mod income;
pub mod index;
mod lanes;
pub mod ledger;
pub mod market;
pub mod metrics;
pub mod money;
mod packed;
pub mod progress;
pub mod reconcile;
pub mod reconciliation;
pub mod returns;
pub mod series;
pub mod store;
pub mod targets;
pub mod valuation;
pub mod xirr;

pub use error::{Error, Result};
