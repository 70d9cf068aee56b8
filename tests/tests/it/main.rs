//! What crosses crates: the structure of the workspace, its units, its programs together.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod back_office;
mod canvas_trees;
mod demo;
mod drill;
mod install;
mod interop;
mod poison;
mod pools;
mod probes;
mod schedulers;
mod signals;
mod structure;
mod systemd;
