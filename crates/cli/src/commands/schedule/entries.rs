//! The schedule that a beat with these settings runs on: entries of the settings and of the broker.

use std::sync::Arc;

use beat::{Entry, Row, ScheduleFile, Source, Sources, StoredSchedule};
use broker::Backends;
use jiff::Timestamp;

use crate::context::Context;
use crate::error::Error;

/// The schedule, and where it can be edited.
#[derive(Debug)]
pub(crate) struct Schedule {
    pub(crate) backends: Backends,
    pub(crate) timezone: String,
    pub(crate) stored: StoredSchedule,
    pub(crate) file: ScheduleFile,
}

impl Schedule {
    /// Reads it on new connections.
    pub(crate) async fn open(context: &Context) -> Result<Self, Error> {
        Self::read(context, context.backends().await?).await
    }

    /// Reads it.
    pub(crate) async fn read(context: &Context, backends: Backends) -> Result<Self, Error> {
        let settings = &context.settings;
        let timezone = settings.text("timezone").unwrap_or("UTC").to_owned();
        let stored = StoredSchedule::new(backends.coordinator.clone(), timezone.as_str());
        let own = ScheduleFile::read(&settings.map("beat_schedule"), &timezone);
        let sources = Sources::new(vec![Arc::new(own), Arc::new(stored.clone())]);
        let unreadable = |why: beat::SourceError| Error::Decode {
            what: "the schedule".to_owned(),
            why: why.to_string(),
        };
        let file = sources.load().await.map_err(unreadable)?;
        Ok(Self {
            backends,
            timezone,
            stored,
            file,
        })
    }

    /// The entries with what the broker knows of them; each with its next `count` runs.
    pub(crate) async fn rows(&self, count: usize) -> Result<Vec<Row>, Error> {
        let coordinator = &*self.backends.coordinator;
        Ok(beat::rows(coordinator, &self.file, Timestamp::now(), count).await?)
    }

    /// The entry of this name.
    pub(super) fn entry(&self, name: &str) -> Result<&Entry, Error> {
        let found = self.file.entries.iter().find(|entry| entry.name == name);
        if let Some(entry) = found {
            return Ok(entry);
        }
        let mut problems = self.file.problems.iter();
        Err(match problems.find(|problem| problem.entry == name) {
            Some(problem) => Error::Usage(problem.to_string()),
            None => self.unknown(name),
        })
    }

    /// Whether there is an entry of this name, a wrong one included.
    pub(super) fn is_known(&self, name: &str) -> bool {
        !matches!(self.entry(name), Err(Error::NotFound(_)))
    }

    pub(super) fn unknown(&self, name: &str) -> Error {
        Error::NotFound(format!(
            "there is no entry {name:?}; celeriac schedule list shows them"
        ))
    }
}
