//! The test kit tested: what other tests rely on without looking.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod binaries;
mod fixtures;
mod postgres;
mod process;
mod proxy;
mod python;
mod redis;
mod wait;
