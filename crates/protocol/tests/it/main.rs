//! Integration tests: recorded traffic replayed both ways, properties over random values, bad input.

#![allow(clippy::unwrap_used)]

mod auth;
mod bad_input;
mod canvas;
mod compact;
mod control;
mod events;
mod fanout;
mod functions;
mod limits;
mod metas;
mod producer;
mod properties;
mod rules;
mod strategies;
mod tasks;
mod transport;
mod typed;
mod vectors;
