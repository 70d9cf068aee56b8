//! What every finance task shares, whichever worker runs it.
//!
//! * [`App`]: the application's folders and its database, opened when the first task needs it.
//! * [`failure`], [`invalid`]: the domain's errors as outcomes that callers in any language can tell apart.
//! * [`Run`]: the envelope around a task's own fields, and how long it took.
//! * [`Reporter`]: progress, at most twice a second.
//!
//! What a task computes is in `portfolio` or in the task's own crate.

mod app;
mod failure;
mod reporter;
mod run;

pub use app::{App, app};
pub use failure::{AUTORETRY, failure, invalid};
pub use reporter::Reporter;
pub use run::Run;
