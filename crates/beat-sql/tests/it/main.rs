//! The tables on both servers, with the real django-celery-beat beside them.
#![allow(clippy::unwrap_used)]

mod following;
mod hand_edits;
mod nonsense;
mod outages;
mod place;
mod store;
mod takeover;
