//! The composition root: the only crate that names a server.
//!
//! * [`Settings`]: Celery's settings by Celery's names, from a file, `.env`, the environment and the command line.
//! * [`open`]: what a URL names, as [`broker::Backends`].
//! * [`run`], [`worker_main`], [`beat_main`]: a whole program around what it does: settings, telemetry, signals, systemd.
//!
//! What tasks are stays outside: programs bring their own.

mod args;
mod beat_main;
mod celery_args;
mod error;
mod exit;
pub mod http;
mod node;
pub mod notify;
mod open;
mod pidfile;
mod pool_args;
mod pool_child;
mod program;
mod restart;
mod schedule;
pub mod settings;
mod signals;
mod telemetry;
mod watching;
mod worker_args;
mod worker_main;

pub use args::{CommonArgs, LogArgs, parse};
pub use beat_main::beat_main;
pub use error::{Error, error_text};
pub use exit::Exit;
pub use node::host_name;
pub use open::{
    Producer, missing_broker_file, open, open_once, open_outbox, open_producer, read_redbeat,
};
pub use program::{Program, Service, run};
pub use schedule::{Schedule, create_schedule_tables};
pub use settings::Settings;
pub use signals::{SUPERVISED, Signals, listen};
pub use telemetry::{Telemetry, log_warnings};
pub use worker::Shutdown;
pub use worker_args::WorkerArgs;
pub use worker_main::worker_main;
