//! Redis behind the broker seam, on real servers of the tests' own.
#![allow(clippy::unwrap_used)]

mod conformance;
mod connecting;
mod doctor;
mod faults;
mod holding;
mod interchange;
mod memory;
mod poison;
mod raw;
mod results;
mod support;
mod waiting;
