//! Stored metas, saved groups, and those who watch.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use protocol::{State, TaskMeta, Value};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::{ResultPolicy, Stored};

/// How many metas of a task may wait for a slow watcher before older ones of the same task give way.
const PENDING_PER_TASK: usize = 64;

/// A value that may expire.
#[derive(Debug)]
struct Kept<T> {
    value: T,
    expires: Option<Instant>,
}

impl<T> Kept<T> {
    fn new(value: T, lifetime: Option<Duration>) -> Self {
        Self {
            value,
            expires: lifetime.map(|lifetime| Instant::now() + lifetime),
        }
    }

    fn is_alive(&self) -> bool {
        self.expires.is_none_or(|expires| Instant::now() < expires)
    }
}

/// Somebody who waits for metas.
#[derive(Debug)]
struct Watcher {
    tasks: HashSet<String>,
    pending: VecDeque<TaskMeta>,
    wake: Arc<Notify>,
}

impl Watcher {
    fn push(&mut self, meta: &TaskMeta) {
        if !self.tasks.contains(&meta.task_id) {
            return;
        }
        if self.pending.len() >= PENDING_PER_TASK * self.tasks.len() {
            self.pending.retain(|older| older.task_id != meta.task_id);
        }
        self.pending.push_back(meta.clone());
        self.wake.notify_one();
    }
}

/// The result backend's state.
#[derive(Debug)]
pub(super) struct ResultTable {
    policy: ResultPolicy,
    metas: HashMap<String, Kept<TaskMeta>>,
    groups: HashMap<String, Kept<Value>>,
    watchers: HashMap<u64, Watcher>,
    next_watcher: u64,
}

impl ResultTable {
    pub(super) fn new(policy: ResultPolicy) -> Self {
        Self {
            policy,
            metas: HashMap::new(),
            groups: HashMap::new(),
            watchers: HashMap::new(),
            next_watcher: 0,
        }
    }

    /// Stores a meta unless the task has succeeded already.
    pub(super) fn store(&mut self, meta: TaskMeta) -> Stored {
        if self.status(&meta.task_id) == Some(&State::Success) {
            return Stored::KeptSuccess;
        }
        self.watchers
            .values_mut()
            .for_each(|watcher| watcher.push(&meta));
        let lifetime = self.lifetime(&meta.status);
        self.metas
            .insert(meta.task_id.clone(), Kept::new(meta, lifetime));
        Stored::Written
    }

    /// Stores that a run was lost, unless it had ended in any way.
    pub(super) fn store_lost(&mut self, meta: &TaskMeta) {
        if !self.status(&meta.task_id).is_some_and(State::is_ready) {
            self.store(meta.clone());
        }
    }

    pub(super) fn fetch(&self, task_id: &str) -> Option<TaskMeta> {
        self.alive(task_id).cloned()
    }

    pub(super) fn forget(&mut self, task_id: &str) {
        self.metas.remove(task_id);
    }

    pub(super) fn save_group(&mut self, group_id: &str, result: Value) {
        self.groups
            .insert(group_id.to_owned(), Kept::new(result, self.policy.expires));
    }

    pub(super) fn forget_group(&mut self, group_id: &str) {
        self.groups.remove(group_id);
    }

    pub(super) fn restore_group(&self, group_id: &str) -> Option<Value> {
        self.groups
            .get(group_id)
            .filter(|kept| kept.is_alive())
            .map(|kept| kept.value.clone())
    }

    /// Drops what has expired; returns how many metas.
    pub(super) fn cleanup(&mut self) -> u64 {
        self.groups.retain(|_, kept| kept.is_alive());
        self.metas.extract_if(|_, kept| !kept.is_alive()).count() as u64
    }

    /// Registers a watcher that begins with what is stored; returns its id and what wakes it.
    pub(super) fn watch(&mut self, task_ids: Vec<String>) -> (u64, Arc<Notify>) {
        let wake = Arc::new(Notify::new());
        let pending: VecDeque<TaskMeta> = task_ids.iter().filter_map(|id| self.fetch(id)).collect();
        self.next_watcher += 1;
        let tasks = task_ids.into_iter().collect();
        self.watchers.insert(
            self.next_watcher,
            Watcher {
                tasks,
                pending,
                wake: wake.clone(),
            },
        );
        (self.next_watcher, wake)
    }

    pub(super) fn unwatch(&mut self, watcher: u64) {
        self.watchers.remove(&watcher);
    }

    /// What a watcher has not seen yet.
    pub(super) fn take_pending(&mut self, watcher: u64) -> VecDeque<TaskMeta> {
        self.watchers
            .get_mut(&watcher)
            .map(|watcher| std::mem::take(&mut watcher.pending))
            .unwrap_or_default()
    }

    fn alive(&self, task_id: &str) -> Option<&TaskMeta> {
        self.metas
            .get(task_id)
            .filter(|kept| kept.is_alive())
            .map(|kept| &kept.value)
    }

    fn status(&self, task_id: &str) -> Option<&State> {
        self.alive(task_id).map(|meta| &meta.status)
    }

    fn lifetime(&self, status: &State) -> Option<Duration> {
        match status {
            State::Failure => self.policy.failure_expires.or(self.policy.expires),
            _ => self.policy.expires,
        }
    }
}
