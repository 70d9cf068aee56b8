//! The client on the memory broker: what it sends, and how it waits.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod canvas;
mod control;
mod groups;
mod pressure;
mod recorded;
mod results;
mod sending;
mod typed;
