//! Redis behind the broker seam: transport, results, coordination and the operator's side, with kombu's and Celery's keys, so that
//! Python workers and ours share queues, holds and results. Needs Redis 6.2 or newer; not a cluster.
//!
//! # What lies where
//!
//! A message is in its queue's list, or held in kombu's `unacked` hash under a tag, or parked. Everything of ours that kombu does not
//! know is under `celeriac.*`:
//!
//! | key | holds |
//! |---|---|
//! | `celeriac.workers`, `.nodes` | living incarnations by the end of their lease (server time, ms), and their description |
//! | `celeriac.pulse` | when somebody last showed life; after a silence everybody gets a lease's time to come back |
//! | `celeriac.dead` | dead incarnations that were not swept to the end |
//! | `celeriac.started:<incarnation>` | early acknowledgements: tag to the meta that tells of the loss |
//! | `celeriac.eta` | tags of deferred messages, which lie in `unacked`, by due time |
//! | `celeriac.poison` | held payloads that are no JSON object and would break a Python sweep |
//! | `celeriac.parked`, `.parked_index` | parked messages with their reason |
//! | `celeriac.lease:*`, `.fence:*`, `.space:*` | the coordinator's |
//! | `celeriac.remembered:*` | texts that are remembered for a time, such as revoked tasks |
//!
//! # What it promises
//!
//! Taking and holding is one script, settling is one script: a crash at any instruction leaves a message in its list or held, never
//! in memory alone. Should only Python workers remain, they restore what we held or deferred after `visibility_timeout`. Whether
//! messages outlive a restart of the server is the server's setting: `appendonly yes` with `appendfsync always` loses nothing,
//! `everysec` up to a second; [`Admin::diagnose`](::broker::Admin::diagnose) says which it is.
//!
//! The server's work for one task with a result is its share of one reserving and one settling script.

mod admin;
mod broker;
mod consumer;
mod coordinator;
mod envelope;
mod error;
mod hub;
mod keys;
mod link;
mod mailbox;
mod options;
mod outgoing;
mod parked;
mod redbeat;
mod results;
mod routing;
mod script;
mod subscribe;
mod wake;

pub use self::broker::RedisBroker;
pub use options::{Address, RedisOptions, Secret, TlsOptions};
pub use redbeat::{RedBeatEntry, read_redbeat};
pub use results::RedisResults;
