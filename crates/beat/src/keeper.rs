//! Tells the sources of runs, behind the sending: what could not be told is told again, and only the latest run of each entry counts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::clock::Clock;
use crate::{Entry, EntryState, Ran, Source};

/// How often runs are told.
const PAUSE: Duration = Duration::from_millis(200);
/// A new leader tells later, when it has seen what was edited lately.
const FIRST: Duration = Duration::from_secs(1);
/// How often sources are asked without runs.
const IDLE: Duration = Duration::from_secs(5);
/// How long the last runs may take at the end.
const PATIENCE: Duration = Duration::from_secs(5);

/// The runs that the sources have not heard of.
#[derive(Debug)]
pub(crate) struct Keeper {
    source: Arc<dyn Source>,
    clock: Arc<dyn Clock>,
    untold: Mutex<HashMap<String, Ran>>,
}

impl Keeper {
    pub(crate) fn new(source: Arc<dyn Source>, clock: Arc<dyn Clock>) -> Self {
        Self {
            source,
            clock,
            untold: Mutex::default(),
        }
    }

    /// Whether anybody wants to hear of runs.
    pub(crate) fn is_needed(&self) -> bool {
        self.source.keeps_runs()
    }

    /// Will be told.
    pub(crate) fn note(&self, name: &str, state: &EntryState) {
        let (true, Some(last_run_at)) = (self.is_needed(), state.last_run_at) else {
            return;
        };
        let ran = Ran {
            name: name.to_owned(),
            last_run_at,
            total_run_count: state.total_run_count,
        };
        self.untold().insert(ran.name.clone(), ran);
    }

    /// What the leader before could not tell will be told.
    pub(crate) fn note_if_behind(&self, entry: &Entry, state: &EntryState) {
        let kept = entry.kept.as_ref();
        if kept.is_some_and(|kept| kept.is_behind(state)) {
            self.note(&entry.name, state);
        }
    }

    /// What was noted of an entry says nothing any more: it has been edited, and its runs may have been forgotten with that.
    pub(crate) fn forget(&self, name: &str) {
        self.untold().remove(name);
    }

    /// Tells for as long as it is polled.
    pub(crate) async fn run(&self) {
        if !self.is_needed() {
            return std::future::pending().await;
        }
        let mut told_at: Option<Instant> = None;
        sleep(FIRST).await;
        loop {
            let is_idle = told_at.is_some_and(|at| at.elapsed() < IDLE);
            if !(is_idle && self.is_empty()) {
                self.tell().await;
                told_at = Some(Instant::now());
            }
            sleep(PAUSE).await;
        }
    }

    /// Tells what is left, at the end.
    pub(crate) async fn finish(&self) {
        if !self.is_empty() && timeout(PATIENCE, self.tell()).await.is_err() {
            tracing::warn!("the sources of the schedule were not told of the last runs in time");
        }
    }

    /// Whether there is nothing to tell.
    pub(crate) fn is_empty(&self) -> bool {
        self.untold().is_empty()
    }

    /// What was told is taken out only afterwards, so that nothing is lost when this is dropped on the way.
    async fn tell(&self) {
        let runs: Vec<Ran> = self.untold().values().cloned().collect();
        if let Err(error) = self.source.keep_runs(&runs, self.clock.now()).await {
            tracing::warn!(%error, runs = runs.len(), "a source of the schedule cannot be told of runs; it is told again");
            return;
        }
        let mut untold = self.untold();
        for ran in runs {
            if untold.get(&ran.name) == Some(&ran) {
                untold.remove(&ran.name);
            }
        }
    }

    fn untold(&self) -> MutexGuard<'_, HashMap<String, Ran>> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
