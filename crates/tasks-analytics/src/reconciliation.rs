//! Value Partner's reconciliation: one account, all of them, and the summary of all.

mod account;
mod all;
mod summary;

pub use account::ReconcileAccount;
pub use all::ReconcileAllAccounts;
pub use summary::{ReconciliationSummary, SummariseReconciliations};
