//! The result seam: task metas.

use std::time::Duration;

use async_trait::async_trait;
use protocol::{Codec, Compression, Packing, TaskMeta, Value};
use tokio::sync::mpsc;
use tokio_util::sync::DropGuard;

use crate::{ChordStore, Result};

/// A store of task metas with Celery's rules. A pending task has no meta.
#[async_trait]
pub trait ResultBackend: ChordStore {
    /// Stores each meta and tells those who wait for it. A stored SUCCESS is never overwritten.
    async fn store(&self, metas: Vec<TaskMeta>) -> Result<Vec<Stored>>;

    /// The metas of these tasks, in the same order; one round trip.
    async fn fetch(&self, task_ids: &[String]) -> Result<Vec<Option<TaskMeta>>>;

    /// Every meta of these tasks from now on, beginning with what is stored already. Returns after the server knows of it.
    async fn watch(&self, task_ids: Vec<String>) -> Result<ResultStream>;

    /// Forgets these tasks' metas.
    async fn forget(&self, task_ids: &[String]) -> Result<()>;

    /// Saves a group's result tuple under its id.
    async fn save_group(&self, group_id: &str, result: Value) -> Result<()>;

    /// A saved group's result tuple.
    async fn restore_group(&self, group_id: &str) -> Result<Option<Value>>;

    /// Forgets a saved group; its members' metas stay.
    async fn forget_group(&self, group_id: &str) -> Result<()>;

    /// Deletes what has expired where the server does not do so itself; returns how many metas.
    async fn cleanup(&self) -> Result<u64>;

    /// Whether the server deletes what has expired by itself.
    fn supports_autoexpire(&self) -> bool;
}

/// What came of storing a meta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is stored.
    Written,
    /// The task had already succeeded; nothing was changed.
    KeptSuccess,
}

/// Celery's shortest time for which a chord is known to be over.
const LEAST_MEMORY: Duration = Duration::from_secs(300);

/// How results are written: Celery's `result_*` settings.
#[derive(Clone, Debug)]
pub struct ResultPolicy {
    /// `result_serializer`.
    pub codec: Codec,
    /// `result_compression`.
    pub compression: Option<Compression>,
    /// `celeriac_result_compression_threshold`: what has fewer bytes is stored as it is.
    pub compression_threshold: usize,
    /// `result_expires`; `None` keeps results for ever.
    pub expires: Option<Duration>,
    /// `result_failure_expires`; `None` as `expires`.
    pub failure_expires: Option<Duration>,
    /// `result_chord_expires`: how long a chord waits for its next member; `None` as `expires`, zero for ever.
    pub chord_expires: Option<Duration>,
    /// `result_chord_ordered` of the transport options: whether members are kept in the header's order or as they end.
    pub chord_ordered: bool,
    /// How long the claim of a chord lasts. Celery's is twice `result_chord_join_timeout`, at least 5 s.
    pub chord_claim: Duration,
}

impl ResultPolicy {
    /// Whether something is compressed before it is stored.
    pub fn packing(&self) -> Packing {
        Packing {
            compression: self.compression,
            threshold: self.compression_threshold,
        }
    }

    /// How long a chord waits for its next member; zero for ever.
    pub fn chord_lifetime(&self) -> Duration {
        self.chord_expires.or(self.expires).unwrap_or_default()
    }

    /// How long a saved header is kept when a member is counted: users read it too, so never shorter than a result. Zero for ever.
    pub fn header_lifetime(&self) -> Duration {
        match (self.chord_lifetime(), self.expires.unwrap_or_default()) {
            (Duration::ZERO, _) | (_, Duration::ZERO) => Duration::ZERO,
            (chord, result) => chord.max(result),
        }
    }

    /// How long members that come late are told that their chord is over.
    pub fn chord_memory(&self) -> Duration {
        (self.chord_claim * 2).max(LEAST_MEMORY)
    }
}

impl Default for ResultPolicy {
    fn default() -> Self {
        Self {
            codec: Codec::Json,
            compression: None,
            compression_threshold: 0,
            expires: Some(Duration::from_secs(86_400)),
            failure_expires: None,
            chord_expires: None,
            chord_ordered: true,
            chord_claim: Duration::from_secs(6),
        }
    }
}

/// A live stream of metas; dropping it stops watching.
#[derive(Debug)]
pub struct ResultStream {
    metas: mpsc::Receiver<TaskMeta>,
    _stop: DropGuard,
}

impl ResultStream {
    /// Joins the receiving end of a bounded channel with the guard that stops its feeder.
    pub fn new(metas: mpsc::Receiver<TaskMeta>, stop: DropGuard) -> Self {
        Self { metas, _stop: stop }
    }

    /// The next meta; `None` when the backend was closed. Cancel-safe.
    pub async fn next(&mut self) -> Option<TaskMeta> {
        self.metas.recv().await
    }
}
