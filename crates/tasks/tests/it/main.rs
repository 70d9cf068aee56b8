//! The finance tasks' shared part against its specification.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod catalogue;
mod deployment;
#[path = "../../../portfolio/tests/it/fixtures.rs"]
#[allow(dead_code)]
mod fixtures;
mod validation;
