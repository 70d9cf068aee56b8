//! Schedules against recorded Celery output, and the beat on a memory broker.
#![allow(clippy::unwrap_used)]

mod clock_changes;
mod file;
mod leading;
mod oracles;
mod outages;
mod overview;
mod program;
mod stage;
mod vectors;
