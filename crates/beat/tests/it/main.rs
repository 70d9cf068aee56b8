//! Schedules against recorded Celery output, and the beat on a memory broker.
#![allow(clippy::unwrap_used)]

mod vectors;
