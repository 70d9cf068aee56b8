//! Whole workers on the memory broker.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod ahead;
mod binding;
mod builtins;
mod canvas;
mod chords;
mod commands;
mod control;
mod delivery;
mod errbacks;
mod events;
mod flows;
mod gossip;
mod hazards;
mod limits;
mod logs;
mod outages;
mod pools;
mod prefork;
mod progress;
mod rates;
mod readiness;
mod recorded;
mod replace;
mod retries;
mod revoking;
mod shutdown;
mod states;
mod support;
mod tasks;
mod unreadable;
