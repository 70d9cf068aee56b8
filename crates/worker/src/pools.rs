//! Where tasks run and how many at once: the slots and their size, threads, autoscaling, and the handle by which the rest of the
//! worker asks and changes all that.
//!
//! It does not run anything itself (that is `executor`), and child processes have a module of their own (`prefork`).

mod autoscaler;
mod handle;
mod hogs;
mod kind;
mod pace;
mod places;
mod slots;
mod threads;

pub(crate) use autoscaler::Autoscaler;
pub(crate) use handle::{Bounds, PoolHandle};
pub(crate) use hogs::{Hogs, observed};
pub use kind::Pool;
pub(crate) use pace::Pace;
pub(crate) use places::{Ending, Place, Places};
pub(crate) use slots::Slots;
pub(crate) use threads::Threads;
