//! Tasks in child processes of the same program, which can be killed: by their limits, by `terminate`, by the system.
//!
//! The worker keeps everything that lasts: broker, lease, settlements, events, limits. A child gets a message, runs the task, and
//! says how it ended; states that the task stores on its way are settled by the worker. Both speak [`record::Frame`]s over a
//! socket, which is the child's standard input: when it ends, the other side is gone, and a child that is left alone ends itself.

mod autopsy;
mod child;
mod children;
mod command;
mod job;
mod link;
mod process;
mod record;
mod signals;

pub use child::{ChildParams, OpenClient, run_child};
pub(crate) use children::Children;
pub use command::ChildCommand;
pub(crate) use job::run;
