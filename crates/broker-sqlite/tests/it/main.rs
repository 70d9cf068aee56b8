//! The SQLite broker from outside: the conformance suite, several processes on one file, kills, full and foreign files.

#![allow(clippy::unwrap_used)]

mod conformance;
mod files;
mod freezes;
mod kills;
mod log;
mod sharing;
mod space;
mod support;
