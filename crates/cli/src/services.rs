//! The service manager: which programs make up the system, and keeping them running as separate processes.
//!
//! It knows programs and queues, no tasks: everything else is told by the settings that manager and programs share.

mod child;
mod lines;
mod manager;
mod table;

pub(crate) use manager::{Environment, Manager};
pub(crate) use table::{Service, Services, locate};
