//! The tables on both servers, with the real django-celery-beat beside them.
#![allow(clippy::unwrap_used)]

mod following;
mod hand_edits;
mod nonsense;
mod oracles;
mod outages;
mod place;
#[path = "../../../beat/tests/it/recorded.rs"]
mod recorded;
mod store;
mod takeover;
