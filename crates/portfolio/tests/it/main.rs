//! Integration tests of the finance domain.
#![allow(clippy::unwrap_used)]

mod fixtures;
mod oracles;
