//! The embedded broker: transport, results, coordinator and operator's side in one SQLite file, for many processes of one
//! machine at once.
//!
//! * [`SqliteOptions`]: where the file is, read from `sqlite:path/to/file.db?synchronous=full`.
//! * [`SqliteBroker`]: the seams of a broker on the file, fused with results when it is given a policy for them.
//! * [`SqliteResults`]: results alone.
//!
//! Inside: every change is an operation (`operations`), carried out by the one writer of the process (`writer`), which
//! commits many at once and then rings a bell (`bell`) that wakes whoever waits in any process. Reading goes through
//! connections of its own (`reads`). The tables are described in `schema/1.sql`.
//!
//! What it promises and what not: a confirmed call survives the death of every process at any instant. A power cut may take the
//! last commits unless `synchronous=full` is set. The file must lie on a local disk, and all processes must share one kernel.

mod admin;
mod bell;
mod chords;
mod clock;
mod consumer;
mod coordinator;
mod error;
mod listening;
mod open;
mod operations;
mod options;
mod outage;
mod readers;
mod reads;
mod results;
mod room;
mod schema;
mod sql;
mod store;
mod transport;
mod turnstile;
mod wire;
mod writer;

pub use options::{SqliteOptions, Synchronous};
pub use results::SqliteResults;
pub use transport::SqliteBroker;
