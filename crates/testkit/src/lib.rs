//! Servers, processes, fault proxies and fixtures for tests; a dev-dependency only.
//!
//! | what a test needs                        | where                                   |
//! |------------------------------------------|-----------------------------------------|
//! | a Redis server of its own                | [`RedisServer`]                         |
//! | a PostgreSQL server of its own           | [`Postgres`]                            |
//! | a mail server that keeps what it gets    | [`MailServer`]                          |
//! | a web server that keeps what it gets     | [`Receiver`]                            |
//! | a connection that breaks on command      | [`Proxy`]                               |
//! | Python Celery on the other side          | [`Python`]                              |
//! | a program, its output and its signals    | [`Process`], [`bin`]                    |
//! | a condition with a deadline              | [`wait_until`]                          |
//! | recorded data, replaceable by a variable | [`load_json`], [`load_bytes`]           |
//! | a folder or a port                       | [`TempDir`], [`free_port`]              |
//!
//! Nothing here returns an error: what a test cannot do without, and does not find, is a panic that says
//! what to install or what went wrong. Nothing is skipped silently. Everything that was started ends when its value is dropped.

mod binaries;
mod certificates;
mod fixtures;
mod mail;
mod port;
mod postgres;
mod process;
mod proxy;
mod python;
mod receiver;
mod redis;
mod tool;
mod wait;

pub use binaries::{bin, workspace_root};
pub use fixtures::{load_bytes, load_json};
pub use mail::{Mail, MailServer};
pub use nix::sys::signal::Signal;
pub use port::free_port;
pub use postgres::Postgres;
pub use process::{Line, Process, Stream};
pub use proxy::Proxy;
pub use python::Python;
pub use receiver::{Post, Receiver};
pub use redis::{RedisBuilder, RedisServer};
pub use tempfile::TempDir;
pub use wait::wait_until;
