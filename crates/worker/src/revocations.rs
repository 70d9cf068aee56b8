//! What must not run: a bounded set of task ids and a table of stamps. It knows nothing of running tasks.
//!
//! It lasts longer than the worker in two ways: in a file (`state_file`) and on the broker (`remembered`).

pub(crate) mod remembered;
pub(crate) mod state_file;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::{Map, TaskRequest, Value};
use tokio::sync::watch;

use crate::limited_set::LimitedSet;

/// Values that one stamped header may have; the oldest are forgotten.
const STAMPS: usize = 10_000;
/// Stamped headers that are remembered.
const HEADERS: usize = 1_000;

/// What is revoked. The check costs one atomic read while nothing is.
#[derive(Debug)]
pub(crate) struct Revocations {
    any: AtomicBool,
    changed: watch::Sender<()>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    ids: LimitedSet,
    stamps: BTreeMap<String, Vec<Value>>,
}

impl Revocations {
    /// Keeps at most `max` ids; when full, forgets those older than `expires` as well.
    pub(crate) fn new(max: usize, expires: Duration) -> Self {
        Self {
            any: AtomicBool::new(false),
            changed: watch::Sender::new(()),
            inner: Mutex::new(Inner {
                ids: LimitedSet::new(max, expires),
                stamps: BTreeMap::new(),
            }),
        }
    }

    /// Adds ids, oldest first.
    pub(crate) fn add<'a>(&self, ids: impl IntoIterator<Item = &'a str>) {
        let mut inner = self.lock();
        ids.into_iter().for_each(|id| inner.ids.add(id));
        drop(inner);
        self.tell();
    }

    /// Adds values of stamped headers: one value or a list by header.
    pub(crate) fn add_stamps(&self, headers: &Map) {
        let mut inner = self.lock();
        for (header, values) in headers {
            if inner.stamps.len() >= HEADERS && !inner.stamps.contains_key(header) {
                inner.stamps.pop_first();
            }
            let known = inner.stamps.entry(header.to_owned()).or_default();
            for value in values_of(values) {
                known.retain(|other| other != value);
                known.push(value.clone());
            }
            let excess = known.len().saturating_sub(STAMPS);
            known.drain(..excess);
        }
        drop(inner);
        self.tell();
    }

    /// Whether this task was revoked, by its id or by a stamp.
    pub(crate) fn covers(&self, request: &TaskRequest) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return false;
        }
        let inner = self.lock();
        inner.ids.contains(&request.id) || has_stamp(request, |name| inner.stamps.get(name))
    }

    /// All ids, oldest first.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.lock().ids.iter().map(str::to_owned).collect()
    }

    /// All ids that have not expired, oldest first.
    pub(crate) fn fresh_ids(&self) -> Vec<String> {
        self.lock().ids.purge();
        self.ids()
    }

    /// All stamps, by header.
    pub(crate) fn stamps(&self) -> Map {
        let inner = self.lock();
        let stamps = inner.stamps.iter();
        stamps
            .map(|(header, values)| (header.as_str(), Value::List(values.clone())))
            .collect()
    }

    /// Tells whenever something was added; what there is already counts as just added.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        let mut changes = self.changed.subscribe();
        if self.any.load(Ordering::Acquire) {
            changes.mark_changed();
        }
        changes
    }

    fn tell(&self) {
        self.any.store(true, Ordering::Release);
        self.changed.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether one of the task's stamps has one of the values that `revoked` knows for its header.
pub(crate) fn has_stamp<'a>(
    request: &TaskRequest,
    revoked: impl Fn(&str) -> Option<&'a Vec<Value>>,
) -> bool {
    let headers = request.stamped_headers.iter().flatten();
    headers
        .filter_map(|header| Some((request.stamps.get(header)?, revoked(header)?)))
        .any(|(stamp, revoked)| values_of(stamp).any(|value| revoked.contains(value)))
}

/// Celery's `maybe_list`.
pub(crate) fn values_of(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::List(items) => items.as_slice(),
        Value::Null => &[],
        single => std::slice::from_ref(single),
    }
    .iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revocations() -> Revocations {
        Revocations::new(100, Duration::from_secs(60))
    }

    fn stamped(stamps: Map) -> TaskRequest {
        let names = stamps.keys().map(str::to_owned).collect();
        TaskRequest {
            id: "id".to_owned(),
            stamped_headers: Some(names),
            stamps,
            ..TaskRequest::default()
        }
    }

    #[test]
    fn an_id_is_revoked_once_it_was_added() {
        let revocations = revocations();
        let request = stamped(Map::new());
        assert!(!revocations.covers(&request));
        revocations.add(["other", "id", "other"]);
        assert!(revocations.covers(&request));
        assert_eq!(revocations.ids(), ["id", "other"]);
    }

    #[test]
    fn a_stamp_is_revoked_when_it_has_or_contains_a_listed_value() {
        let revocations = revocations();
        let listed = Value::List(vec!["a".into(), 2_i64.into()]);
        revocations.add_stamps(&Map::from_iter([("header", listed)]));
        let covers = |name: &str, stamp: Value| {
            revocations.covers(&stamped(Map::from_iter([(name, stamp)])))
        };
        assert!(covers("header", "a".into()));
        assert!(covers("header", vec!["x", "a"].into()));
        assert!(covers("header", 2_i64.into()));
        assert!(!covers("header", "b".into()));
        assert!(!covers("other", "a".into()));
    }

    #[test]
    fn a_stamp_that_is_not_declared_does_not_count() {
        let revocations = revocations();
        revocations.add_stamps(&Map::from_iter([("header", "a")]));
        let mut request = stamped(Map::from_iter([("header", "a")]));
        request.stamped_headers = None;
        assert!(!revocations.covers(&request));
    }
}
