//! Schedules against recorded Celery output, and the beat on a memory broker.
#![allow(clippy::unwrap_used)]

mod clock_changes;
mod every_zone;
mod file;
mod following;
mod leading;
mod oracles;
mod outages;
mod overlap;
mod overview;
mod recorded;
mod stage;
mod standing_by;
mod vectors;
