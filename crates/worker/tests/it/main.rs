//! Whole workers on the memory broker.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod binding;
mod canvas;
mod control;
mod delivery;
mod events;
mod hazards;
mod limits;
mod logs;
mod outages;
mod pools;
mod prefork;
mod progress;
mod recorded;
mod retries;
mod revoking;
mod shutdown;
mod states;
mod support;
mod tasks;
