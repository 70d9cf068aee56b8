//! The outbox before a broker that goes away and comes back.
#![allow(clippy::unwrap_used)]

mod bounds;
mod files;
mod sending;
mod support;
