//! Redis behind the broker seam, on real servers of the tests' own.
#![allow(clippy::unwrap_used)]

mod chord_costs;
mod chords;
mod claims;
mod conformance;
mod connecting;
mod doctor;
mod faults;
mod finishing;
mod holding;
mod interchange;
mod many_results;
mod memory;
mod poison;
mod python_chords;
mod python_compression;
mod python_stage;
mod raw;
mod recorded_chords;
mod results;
mod support;
mod waiting;
