//! Integration tests of market data: real HTTP, real files.
#![allow(clippy::unwrap_used)]

mod files;
#[path = "../../../portfolio/tests/it/fixtures.rs"]
mod fixtures;
mod hostile;
mod oracles;
mod place;
mod quotes;
mod server;
mod updates;
