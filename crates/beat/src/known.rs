//! The schedule as it was read last, and how it differs from what its source says now. It owns the reading; what becomes of a
//! change is the leader's affair.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use broker::{BrokerError, ErrorKind, Result};

use crate::{Entry, EntryError, Source, SourceError, bulk};

/// An entry that is new or another than before, or the name of one that is gone.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Put(Arc<Entry>),
    Gone(String),
}

impl Change {
    /// The entry's name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Put(entry) => &entry.name,
            Self::Gone(name) => name,
        }
    }
}

/// Entries by name.
type Entries = HashSet<Named>;

/// An entry that is found by its name.
#[derive(Clone, Debug)]
pub(crate) struct Named(pub(crate) Arc<Entry>);

impl Borrow<str> for Named {
    fn borrow(&self) -> &str {
        &self.0.name
    }
}

impl Hash for Named {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
    }
}

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Named {}

/// What was read, and where from.
#[derive(Debug)]
pub(crate) struct KnownSchedule {
    source: Arc<dyn Source>,
    read: Mutex<Option<Read>>,
}

#[derive(Debug, Default)]
struct Read {
    version: String,
    entries: Entries,
    /// The names of entries that cannot be used.
    problems: HashSet<String>,
}

impl KnownSchedule {
    pub(crate) fn new(source: Arc<dyn Source>) -> Self {
        Self {
            source,
            read: Mutex::default(),
        }
    }

    /// All entries as they were read last.
    pub(crate) fn entries(&self) -> Vec<Arc<Entry>> {
        let read = self.lock();
        let entries = read.iter().flat_map(|read| &read.entries);
        entries.map(|Named(entry)| Arc::clone(entry)).collect()
    }

    /// How many entries cannot be used.
    pub(crate) fn problems(&self) -> usize {
        self.lock().as_ref().map_or(0, |read| read.problems.len())
    }

    /// Whether there is an entry of this name that cannot be used.
    pub(crate) fn is_unusable(&self, name: &str) -> bool {
        let read = self.lock();
        read.as_ref()
            .is_some_and(|read| read.problems.contains(name))
    }

    /// Reads the schedule, unless that was done before. From then on [`KnownSchedule::refresh`] tells what changes.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub(crate) async fn prepare(&self) -> Result<()> {
        if self.version().is_some() {
            return Ok(());
        }
        self.look().await.map(|_| ())
    }

    /// Reads what has changed since the schedule was read. A source that cannot be read has not changed.
    pub(crate) async fn refresh(&self) -> Vec<Change> {
        self.look().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the schedule stays as it was");
            Vec::new()
        })
    }

    async fn look(&self) -> Result<Vec<Change>> {
        self.read_changes().await.map_err(|error| {
            let text = format!("the schedule cannot be read: {error}");
            BrokerError::with_source(ErrorKind::Unreachable, text, error)
        })
    }

    /// Asks for the version first, so that a change in between is met again.
    async fn read_changes(&self) -> Result<Vec<Change>, SourceError> {
        let version = self.source.version().await?;
        let names = match self.version() {
            Some(known) if known == version => return Ok(Vec::new()),
            Some(known) => self.source.changed(&known, &version).await?,
            None => None,
        };
        match names {
            Some(names) => self.read_named(version, names).await,
            None => self.read_all(version).await,
        }
    }

    async fn read_named(
        &self,
        version: String,
        names: Vec<String>,
    ) -> Result<Vec<Change>, SourceError> {
        let schedule = self.source.load_named(&names).await?;
        report(&schedule.problems);
        let mut guard = self.lock();
        let read = guard.get_or_insert_default();
        let names: HashSet<String> = names.into_iter().collect();
        let before = names
            .iter()
            .filter_map(|name| read.entries.take(name.as_str()));
        let (entries, mut changes) = compare(before.collect(), schedule.entries);
        let problems: HashSet<String> = named(schedule.problems).collect();
        let before: Vec<String> = read
            .problems
            .extract_if(|name| names.contains(name))
            .collect();
        changes.extend(gone(before, &entries, &problems));
        read.entries.extend(entries);
        read.problems.extend(problems);
        read.version = version;
        Ok(changes)
    }

    async fn read_all(&self, version: String) -> Result<Vec<Change>, SourceError> {
        let schedule = self.source.load().await?;
        report(&schedule.problems);
        let problems: HashSet<String> = named(schedule.problems).collect();
        let before = self.lock().as_ref().map(|read| read.entries.clone());
        let compared = move || match before {
            Some(before) => compare(before, schedule.entries),
            None => (all(schedule.entries), Vec::new()),
        };
        let (entries, mut changes) = bulk::apart(compared).await;
        let mut guard = self.lock();
        let before = guard.take().map(|read| read.problems);
        changes.extend(gone(before.into_iter().flatten(), &entries, &problems));
        *guard = Some(Read {
            version,
            entries,
            problems,
        });
        Ok(changes)
    }

    fn version(&self) -> Option<String> {
        self.lock().as_ref().map(|read| read.version.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Read>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn all(entries: Vec<Entry>) -> Entries {
    let entries = entries.into_iter();
    entries.map(|entry| Named(Arc::new(entry))).collect()
}

/// The entries of now, the ones that are as before shared with before, and what is different.
fn compare(mut before: Entries, now: Vec<Entry>) -> (Entries, Vec<Change>) {
    let mut entries = Entries::with_capacity(now.len());
    let mut changes = Vec::new();
    for entry in now {
        let same = before
            .take(entry.name.as_str())
            .filter(|Named(before)| before.is_same(&entry));
        let entry = same.unwrap_or_else(|| {
            let entry = Arc::new(entry);
            changes.push(Change::Put(Arc::clone(&entry)));
            Named(entry)
        });
        entries.insert(entry);
    }
    let gone = before.into_iter();
    changes.extend(gone.map(|Named(entry)| Change::Gone(entry.name.clone())));
    (entries, changes)
}

/// Those of the entries that could not be used which are not there any more.
fn gone(
    before: impl IntoIterator<Item = String>,
    entries: &Entries,
    problems: &HashSet<String>,
) -> impl Iterator<Item = Change> {
    let is_there = |name: &String| entries.contains(name.as_str()) || problems.contains(name);
    let before = before.into_iter();
    before.filter(move |name| !is_there(name)).map(Change::Gone)
}

fn report(problems: &[EntryError]) {
    for problem in problems {
        tracing::error!("{problem}; the entry is left out");
    }
}

fn named(problems: Vec<EntryError>) -> impl Iterator<Item = String> {
    problems.into_iter().map(|problem| problem.entry)
}
