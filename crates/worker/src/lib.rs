//! The engine that runs tasks.
//!
//! A program defines [`Task`]s, puts them in a [`Registry`], and runs a [`Worker`] on them until its [`Shutdown`] is
//! asked for. Within, a message goes from the intake (reserves) through admission (decides whether it may run) and the
//! executor (runs it under its limits) to its conclusion (decides what becomes of it) and the acknowledger (settles).
//! Events, heartbeat and remote control stand beside that way and never in it.
//!
//! The engine knows no server: it speaks to the traits of `broker`.

mod acknowledger;
mod activity;
mod admission;
mod bind;
mod builtin;
mod conclusion;
mod consumers;
mod context;
mod control;
mod engine;
mod errback;
mod error;
mod events;
mod executor;
mod flag;
mod gossip;
mod handover;
mod health;
mod heartbeat;
mod hooks;
mod intake;
mod limited_set;
mod limiter;
mod options;
mod outcome;
mod policy;
mod pools;
mod prefork;
mod queues;
mod reach;
mod registry;
mod revocations;
mod settings;
mod settler;
mod shutdown;
mod states;
mod task;
mod waiting;
mod worker;

pub use bind::{Arguments, BindError, bind};
pub use context::Context;
pub use errback::{Errback, FailedTask};
pub use error::WorkerError;
pub use health::{Health, Readiness};
pub use hooks::Hook;
pub use options::{ErrorPolicy, RetryPolicy, TaskOptions};
pub use outcome::{Failure, Outcome, Retry};
pub use pools::Pool;
pub use prefork::{ChildCommand, ChildParams, OpenClient, run_child};
pub use registry::Registry;
pub use settings::{Autoscale, WorkerSettings};
pub use shutdown::Shutdown;
pub use task::{SendTask, SignTask, Task};
pub use worker::{Worker, WorkerParams};
