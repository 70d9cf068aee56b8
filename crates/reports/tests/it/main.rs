//! Exports against the oracles, and documents against the tools that people open them with.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod export;
#[path = "../../../portfolio/tests/it/fixtures.rs"]
mod fixtures;
mod listings;
#[path = "../../../portfolio/tests/it/oracles/market.rs"]
#[expect(
    dead_code,
    reason = "the cases' expectations are compared by the crate that computes them"
)]
mod market;
mod paper;
#[path = "../../../portfolio/tests/it/oracles/stored_case.rs"]
mod stored_case;
mod tools;
mod world;
