//! Entries that operators keep on the broker, beside those of the settings, and whether entries of any source are enabled.
//!
//! One record for each entry in the form of the settings, written under a lease so that two editors do not mix, and a version
//! that changes with every edit.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use broker::{BrokerError, Commit, Coordinator, ErrorKind, Fence, Result};
use bytes::Bytes;
use protocol::{Map, Value};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::plan::Writes;
use crate::{ScheduleFile, Source, SourceError};

/// The space that the records lie in, and the lease of whoever edits.
const SPACE: &str = "celeriac.schedule";
const VERSION: &str = "version";
const ENTRY: &str = "entry:";
const ENABLED: &str = "enabled:";

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
            let text = String::from_utf8_lossy(&record).into_owned();
            // What is no JSON stays a text, which is no entry: so the name is shown with its problem.
            Some((
                name.to_owned(),
                serde_json::from_str(&text).unwrap_or(Value::Str(text)),
            ))
        });
        Ok(entries.collect())
    }

    /// Writes an entry, whether it was there or not. It is enabled or not as it says itself.
    ///
    /// # Errors
    /// When the broker cannot be asked, or somebody else edits for too long.
    pub async fn put(&self, name: &str, entry: &Value) -> Result<()> {
        let record = serde_json::to_vec(entry).map_err(|error| {
            BrokerError::with_source(
                ErrorKind::Invalid,
                format!("entry {name} has no JSON form"),
                error,
            )
        })?;
        let writes = vec![
            (format!("{ENTRY}{name}"), Some(record.into())),
            (format!("{ENABLED}{name}"), None),
        ];
        self.edit(writes).await
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
        writes.push((VERSION.to_owned(), Some(Uuid::new_v4().to_string().into())));
        let owner = Uuid::new_v4().to_string();
        let commit = Commit {
            lease: SPACE.to_owned(),
            fence: acquire(&*self.coordinator, SPACE, &owner).await?,
            space: SPACE.to_owned(),
            entries: writes,
            publish: Vec::new(),
        };
        let written = self.coordinator.commit(commit).await?;
        self.coordinator.release(SPACE, &owner).await?;
        if written { Ok(()) } else { Err(busy()) }
    }
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
impl Source for StoredSchedule {
    async fn version(&self) -> Result<String, SourceError> {
        let mut found = self.coordinator.fetch(SPACE, &[VERSION.to_owned()]).await?;
        let version = found.pop().flatten().unwrap_or_default();
        Ok(String::from_utf8_lossy(&version).into_owned())
    }

    async fn load(&self) -> Result<ScheduleFile, SourceError> {
        let mut schedule = ScheduleFile::read(&self.definitions().await?, &self.timezone);
        for (key, record) in self.coordinator.load(SPACE).await? {
            if let Some(name) = key.strip_prefix(ENABLED) {
                schedule
                    .enabled
                    .insert(name.to_owned(), &record[..] == b"true");
            }
        }
        Ok(schedule)
    }
}

pub(crate) fn busy() -> BrokerError {
    BrokerError::new(
        ErrorKind::Unreachable,
        "somebody else edits the schedule; try again",
    )
}
