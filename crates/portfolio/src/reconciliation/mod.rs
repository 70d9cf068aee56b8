//! Reconciling an account through the database: the ledger as it stands on the statement's day beside the statement.
//!
//! What is compared, and how, is in [`crate::reconcile`], which is pure. Here both sides are loaded (`sides`), the result is
//! kept, and breaks are carried from run to run (`lifecycle`): one break stays one row for as long as it is seen.

mod due;
mod lifecycle;
mod request;
mod run;
mod sides;

pub use due::{Due, due_accounts};
pub use request::{ReconcileData, ReconcileRequest};
pub use run::reconcile_account;
