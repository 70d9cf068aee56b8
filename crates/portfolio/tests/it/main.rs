//! Integration tests of the finance domain.
#![allow(clippy::unwrap_used)]

mod advance;
mod attribution;
mod backup;
mod demo;
mod engine;
mod fixtures;
mod generated;
mod import;
mod import_cut_off;
mod import_order;
mod incoming;
mod ledger;
mod looking_back;
mod operations;
mod oracles;
mod performance;
mod price_file;
mod reconciliation;
mod refresh;
mod rules;
mod servers;
mod snapshots;
mod stored_results;
mod targets;
mod world;
