//! What every finance task shares, whichever worker runs it.
//!
//! * [`catalogue`]: every task as data: names, arguments, queue, limits, retries.
//! * [`FinanceTask`]: a task's own part; around it its arguments are bound by [`arguments`], its run is recorded in
//!   `task_runs`, its lock is held, and its result gets the envelope.
//! * [`App`]: the application's folders and its database, opened when the first task needs it.
//! * [`failure`], [`invalid`]: the domain's errors as outcomes that callers in any language can tell apart.
//! * [`provider_failed`], [`items_failed`]: what became of assets whose providers failed.
//! * [`Reporter`]: progress, at most twice a second.
//!
//! What a task computes is in `portfolio` or in the task's own crate.

mod answer;
mod app;
pub mod arguments;
pub mod catalogue;
mod failure;
mod finance_task;
mod lock;
mod provider;
mod quantile;
mod record;
mod reporter;
mod run;

pub use answer::{Answer, Content, Reply, Skipped};
pub use app::{App, app};
pub use failure::{AUTORETRY, argument, failure, invalid, named};
pub use finance_task::{Finance, FinanceTask, RegisterFinance, bind_spec};
pub use provider::{items_failed, items_odd, provider_failed};
pub use quantile::quantile;
pub use reporter::Reporter;
pub use run::Run;
