//! The seams between Celeriac's engine and a server.
//!
//! * [`Broker`] and [`Consumer`]: publish, reserve, settle. A message is never only in memory: reserving
//!   pops and leases it in one atomic step on the server, and settling decides what becomes of it.
//! * [`ResultBackend`]: task metas, with Celery's rule that a SUCCESS is never overwritten.
//! * [`ChordStore`], part of it: who of a chord's members has ended, and who may call its body.
//! * [`Coordinator`]: leases with fences, and commits that publish and remember in one step. Beat stands on it.
//! * [`Admin`]: what an operator asks of a server.
//!
//! [`SplitResults`] and [`ClaimChecks`] stand before a broker: for results on another server, and for bodies that are too large for a queue.
//!
//! [`memory`] implements all of them for tests and for programs that need no server; [`faults`] wraps any of them and fails
//! on command; [`conformance`] defines what an implementation is. This crate knows no server and no task.

mod admin;
mod chords;
mod claims;
pub mod conformance;
mod consumer;
mod coordinator;
mod effects;
mod error;
pub mod faults;
mod ids;
mod layer;
pub mod memory;
mod message;
mod received;
mod results;
mod split;
mod transport;

pub use admin::{
    Admin, Advice, Binding, Deferred, Parked, ParkedAction, QueueDepth, Severity, WorkerLease,
};
pub use chords::{CALL_MEMORY, ChordCall, ChordPart, ChordParts, ChordStore, Counted, NewChord};
pub use claims::ClaimChecks;
pub use consumer::{
    Consumer, ConsumerParams, Delivery, Notice, QueueOrder, Renewal, Settled, Settlement, Tag,
    Verdict,
};
pub use coordinator::{Commit, Coordinator, Fence, Holder, MOST_REMEMBERED, PAGE, Page};
pub use effects::Effects;
pub use error::{BrokerError, ErrorKind, Result};
pub use ids::random_id;
pub use layer::{BrokerLayer, ConsumerLayer, CoordinatorLayer};
pub use memory::MemoryBroker;
pub use message::{ExchangeKind, Publish, Route};
pub use received::Received;
pub use results::{ResultBackend, ResultPolicy, ResultStream, Stored};
pub use split::SplitResults;
pub use transport::{Backends, Broker, Capabilities, Source, Subscription};
