//! The typed producer: calls, results, control and events.
//!
//! A [`Client`] sends calls of tasks by name with all of Celery's options and hands back an [`AsyncResult`]. [`Control`] and
//! [`Inspect`] speak to workers, [`EventReceiver`] listens to them. It speaks to the traits of `broker` only, and it
//! runs no task: that is the worker's business, whose `SendTask` makes calls of task types.

mod broadcast;
mod call;
pub mod canvas;
mod client;
mod clock;
mod control;
mod error;
mod events;
mod inspect;
mod options;
mod origin;
mod prepare;
mod pressure;
mod result;
mod revokes;
mod routes;
mod sent;
mod signature;
mod task_call;
mod text;
mod trace;

pub use broadcast::Broadcast;
pub use call::{Call, Children};
pub use client::Client;
pub use clock::SharedClock;
pub use control::{Control, reply_error};
pub use error::{ClientError, RemoteException, TaskError};
pub use events::EventReceiver;
pub use inspect::{Answers, Inspect};
pub use options::{ClientOptions, Propagator, PublishRetryPolicy};
pub use prepare::Prepared;
pub use result::{AsyncResult, CanvasResult, Completed, GroupResult};
pub use revokes::{REVOKED, REVOKED_STAMPS};
pub use routes::{RouteOptions, Routes};
pub use task_call::{CallOptions, Expires, TaskCall};
pub use trace::{trace_headers, trace_id};
