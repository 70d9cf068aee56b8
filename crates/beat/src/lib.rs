//! The scheduler: when entries run, and one leader that sends them.
//!
//! * [`schedule`]: every kind of schedule, as a pure function of time and zone.
//! * [`ScheduleFile`]: the `beat_schedule` setting read into [`Entry`] values; a bad one is named, the others go on.
//! * [`Beat`]: leads under a lease, sends what is due, and remembers it on the broker in the same atomic step.
//! * [`rows`], [`heartbeat`], [`Question`]: what a person or a health check asks.
//!
//! It knows no server and no task; entries name their tasks.

mod adopt;
mod backfill;
mod beat;
mod broker_clock;
mod bulk;
mod check;
mod clock;
mod entry;
mod error;
mod file;
mod following;
mod interned;
mod keeper;
mod kept;
mod known;
mod metrics;
mod outlook;
mod overview;
mod plan;
mod policy;
mod preview;
mod reign;
pub mod schedule;
mod source;
mod state;
mod stored;
mod timetable;

pub use backfill::Backfill;
pub use beat::{Beat, BeatParams, Role};
pub use check::Question;
pub use clock::{Clock, SystemClock};
pub use entry::Entry;
pub use error::{EntryError, ScheduleError};
pub use file::{Definition, ScheduleFile};
pub use kept::{Kept, Ran};
pub use overview::{Row, heartbeat, rows};
pub use policy::{Misfire, Overlap, Policy};
pub use preview::{Coming, coming};
pub use source::{Source, SourceError, Sources, Store};
pub use state::{EntryState, HISTORY, Heartbeat, LEASE, SPACE, Skipped, Slot};
pub use stored::StoredSchedule;
pub use timetable::Timetable;
