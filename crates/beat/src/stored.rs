//! Entries that operators keep on the broker, beside those of the settings, and whether entries of any source are enabled.
//!
//! One record for each entry in the form of the settings, written under a lease so that two editors do not mix, and a version
//! that changes with every edit.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use broker::{BrokerError, Commit, Coordinator, ErrorKind, Fence, Page, Result};
use bytes::Bytes;
use protocol::{Map, Value};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::bulk::{self, Pages};
use crate::file::Definition;
use crate::state::{Writes, decode, encode};
use crate::{ScheduleFile, Source, SourceError, Store};

/// The space that the records lie in, and the lease of whoever edits.
const SPACE: &str = "celeriac.schedule";
const VERSION: &str = "version";
/// The record of the latest edits.
const EDITS: &str = "edits";
const ENTRY: &str = "entry:";
const ENABLED: &str = "enabled:";

/// So many edited names are remembered; who is further behind reads everything.
const REMEMBERED: usize = 1_000;

const LEASE: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(50);

/// The entries on a broker.
#[derive(Clone, Debug)]
pub struct StoredSchedule {
    coordinator: Arc<dyn Coordinator>,
    timezone: String,
}

impl StoredSchedule {
    /// `timezone` is the zone of entries that name none.
    pub fn new(coordinator: Arc<dyn Coordinator>, timezone: impl Into<String>) -> Self {
        Self {
            coordinator,
            timezone: timezone.into(),
        }
    }

    /// The entries as they were written, by name.
    ///
    /// # Errors
    /// When the broker cannot be asked.
    pub async fn definitions(&self) -> Result<Map> {
        let records = self.coordinator.load(SPACE).await?;
        let entries = records.into_iter().filter_map(|(key, record)| {
            let name = key.strip_prefix(ENTRY)?;
            Some((name.to_owned(), Definition::Json(record).value()))
        });
        Ok(entries.collect())
    }

    /// Writes an entry, whether it was there or not. It is enabled or not as it says itself.
    ///
    /// # Errors
    /// When the broker cannot be asked, or somebody else edits for too long.
    pub async fn put(&self, name: &str, entry: &Value) -> Result<()> {
        let writes = vec![
            (format!("{ENTRY}{name}"), Some(record_of(name, entry)?)),
            (format!("{ENABLED}{name}"), None),
        ];
        self.edit(writes).await
    }

    /// Writes many entries under one lease, as [`StoredSchedule::put`] does. Who follows the schedule sees them some by some.
    ///
    /// # Errors
    /// As [`StoredSchedule::put`]; some may be written then.
    pub async fn put_all(&self, entries: impl IntoIterator<Item = (String, Value)>) -> Result<()> {
        let mut entries = entries.into_iter().peekable();
        while entries.peek().is_some() {
            let some = entries.by_ref().take(REMEMBERED);
            let records = some.map(|(name, entry)| Ok((record_of(&name, &entry)?, name)));
            let records: Vec<(Bytes, String)> = records.collect::<Result<_>>()?;
            let writes = records.into_iter().flat_map(|(record, name)| {
                [
                    (format!("{ENTRY}{name}"), Some(record)),
                    (format!("{ENABLED}{name}"), None),
                ]
            });
            self.edit(writes.collect()).await?;
        }
        Ok(())
    }

    /// Deletes an entry.
    ///
    /// # Errors
    /// As [`StoredSchedule::put`].
    pub async fn delete(&self, name: &str) -> Result<()> {
        let keys = [ENTRY, ENABLED].map(|kind| (format!("{kind}{name}"), None));
        self.edit(keys.into()).await
    }

    /// Enables or disables an entry of any source, whatever it says itself.
    ///
    /// # Errors
    /// As [`StoredSchedule::put`].
    pub async fn enable(&self, name: &str, enabled: bool) -> Result<()> {
        let record = Bytes::from(enabled.to_string());
        self.edit(vec![(format!("{ENABLED}{name}"), Some(record))])
            .await
    }

    async fn edit(&self, mut writes: Writes) -> Result<()> {
        let owner = Uuid::new_v4().to_string();
        let fence = acquire(&*self.coordinator, SPACE, &owner).await?;
        let version = Uuid::new_v4().to_string();
        let mut edits = self.edits().await?;
        edits.add(&version, &writes);
        writes.push((EDITS.to_owned(), Some(encode(&edits))));
        writes.push((VERSION.to_owned(), Some(version.into())));
        let commit = Commit {
            lease: SPACE.to_owned(),
            fence,
            space: SPACE.to_owned(),
            entries: writes,
            publish: Vec::new(),
        };
        let written = self.coordinator.commit(commit).await?;
        self.coordinator.release(SPACE, &owner).await?;
        if written { Ok(()) } else { Err(busy()) }
    }

    async fn edits(&self) -> Result<Edits> {
        let record = self.fetch_one(EDITS).await?;
        Ok(record
            .and_then(|record| decode(EDITS, &record))
            .unwrap_or_default())
    }

    async fn fetch_one(&self, key: &str) -> Result<Option<Bytes>> {
        let mut found = self.coordinator.fetch(SPACE, &[key.to_owned()]).await?;
        Ok(found.pop().flatten())
    }
}

/// What there is on some pages.
fn read(pages: impl IntoIterator<Item = Page>, timezone: &str) -> ScheduleFile {
    let mut schedule = ScheduleFile::default();
    for (key, record) in pages.into_iter().flatten() {
        if let Some(name) = key.strip_prefix(ENTRY) {
            let definition = Definition::Json(record);
            let entry = ScheduleFile::understand(name, definition, timezone);
            schedule.add(entry);
        } else if let Some(name) = key.strip_prefix(ENABLED) {
            let is_enabled = &record[..] == b"true";
            schedule.enabled.insert(name.to_owned(), is_enabled);
        }
    }
    schedule
}

/// The parts as one; an entry that came twice is there once.
fn joined(parts: Vec<ScheduleFile>) -> ScheduleFile {
    let mut parts = parts.into_iter();
    let mut all = parts.next().unwrap_or_default();
    for part in parts {
        all.entries.extend(part.entries);
        all.problems.extend(part.problems);
        all.enabled.extend(part.enabled);
    }
    let mut names = HashSet::with_capacity(all.entries.len());
    let again: Vec<bool> = all
        .entries
        .iter()
        .map(|entry| !names.insert(entry.name.as_str()))
        .collect();
    let mut again = again.into_iter();
    all.entries.retain(|_| again.next() == Some(false));
    all.problems
        .sort_by(|one, other| one.entry.cmp(&other.entry));
    all.problems.dedup_by(|one, other| one.entry == other.entry);
    all
}

/// The latest edits, oldest first: each edit's version and the names that it changed.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Edits(VecDeque<(String, Vec<String>)>);

impl Edits {
    fn add(&mut self, version: &str, writes: &Writes) {
        let names: BTreeSet<&str> = writes.iter().filter_map(|(key, _)| edited(key)).collect();
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        self.0.push_back((version.to_owned(), names));
        let mut remembered: usize = self.0.iter().map(|(_, names)| names.len()).sum();
        // The latest one stays: who knows its version has missed nothing.
        while remembered > REMEMBERED && self.0.len() > 1 {
            let oldest = self.0.pop_front();
            remembered -= oldest.map_or(0, |(_, names)| names.len());
        }
    }

    /// The names that were changed after this version; `None` when that is too long ago to know.
    fn since(self, version: &str) -> Option<Vec<String>> {
        let known = self.0.iter().position(|(edit, _)| edit == version)?;
        let later = self.0.into_iter().skip(known + 1);
        Some(later.flat_map(|(_, names)| names).collect())
    }
}

fn edited(key: &str) -> Option<&str> {
    key.strip_prefix(ENTRY)
        .or_else(|| key.strip_prefix(ENABLED))
}

fn record_of(name: &str, entry: &Value) -> Result<Bytes> {
    let record = serde_json::to_vec(entry).map_err(|error| {
        let text = format!("entry {name} has no JSON form");
        BrokerError::with_source(ErrorKind::Invalid, text, error)
    })?;
    Ok(record.into())
}

/// Waits for an editor's lease.
pub(crate) async fn acquire(
    coordinator: &dyn Coordinator,
    lease: &str,
    owner: &str,
) -> Result<Fence> {
    let patience = Instant::now() + PATIENCE;
    loop {
        if let Some(fence) = coordinator.acquire(lease, owner, LEASE).await? {
            return Ok(fence);
        }
        if Instant::now() > patience {
            return Err(busy());
        }
        sleep(PAUSE).await;
    }
}

#[async_trait]
impl Store for StoredSchedule {
    fn place(&self) -> String {
        "the broker".to_owned()
    }

    async fn definition(&self, name: &str) -> Result<Option<Value>, SourceError> {
        let record = self.fetch_one(&format!("{ENTRY}{name}")).await?;
        Ok(record.map(|record| Definition::Json(record).value()))
    }

    async fn put(&self, name: &str, entry: &Value) -> Result<(), SourceError> {
        Ok(Self::put(self, name, entry).await?)
    }

    async fn delete(&self, name: &str) -> Result<(), SourceError> {
        Ok(Self::delete(self, name).await?)
    }

    async fn enable(&self, name: &str, enabled: bool) -> Result<(), SourceError> {
        Ok(Self::enable(self, name, enabled).await?)
    }
}

#[async_trait]
impl Source for StoredSchedule {
    async fn version(&self) -> Result<String, SourceError> {
        let version = self.fetch_one(VERSION).await?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&version).into_owned())
    }

    async fn load(&self) -> Result<ScheduleFile, SourceError> {
        let (coordinator, timezone) = (&*self.coordinator, self.timezone.clone());
        let work = move |pages: Pages| read(pages, &timezone);
        let read = bulk::pages(coordinator, SPACE, vec![work; bulk::threads()]).await?;
        Ok(bulk::apart(move || joined(read)).await)
    }

    async fn changed(&self, from: &str, _to: &str) -> Result<Option<Vec<String>>, SourceError> {
        Ok(self.edits().await?.since(from))
    }

    async fn load_named(&self, names: &[String]) -> Result<ScheduleFile, SourceError> {
        let kinds = [ENTRY, ENABLED];
        let keys = names
            .iter()
            .flat_map(|name| kinds.map(|kind| format!("{kind}{name}")));
        let keys: Vec<String> = keys.collect();
        let found = self.coordinator.fetch(SPACE, &keys).await?;
        let records = keys
            .into_iter()
            .zip(found)
            .filter_map(|(key, record)| Some((key, record?)));
        Ok(read([records.collect()], &self.timezone))
    }
}

pub(crate) fn busy() -> BrokerError {
    BrokerError::new(
        ErrorKind::Unreachable,
        "somebody else edits the schedule; try again",
    )
}
