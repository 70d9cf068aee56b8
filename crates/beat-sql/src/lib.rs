//! The tables of django-celery-beat on PostgreSQL and SQLite, as a source of beat's entries and a store that can be edited.
//!
//! A Django admin edits them and our beat follows; Celery's DatabaseScheduler can take over on them, and ours goes on after its last runs.
//! What django-celery-beat cannot express lies in a table of ours beside them (`celeriac_beat_entry`).
//!
//! Who leads, and that a slot is sent once, is none of its affair: that is the broker's. Runs are told to the tables afterwards.

mod cell;
mod database;
mod edit;
mod error;
mod extras;
mod mark;
mod row;
mod runs;
mod seen;
mod tables;
mod time;
mod timing;
mod version;

pub use error::Error;
pub use tables::Tables;
