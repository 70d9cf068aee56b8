//! The schedule that a beat with these settings runs on: entries of the settings and of the broker.

use std::sync::Arc;

use beat::{Entry, Row, ScheduleFile, Source, SourceError, Store};
use broker::Backends;
use jiff::Timestamp;
use protocol::Value;

use crate::context::Context;
use crate::error::Error;

/// The schedule, and where it can be edited.
#[derive(Debug)]
pub(crate) struct Schedule {
    pub(crate) backends: Backends,
    pub(crate) sources: service::Schedule,
    pub(crate) file: ScheduleFile,
}

impl Schedule {
    /// Reads it on new connections.
    pub(crate) async fn open(context: &Context) -> Result<Self, Error> {
        Self::read(context, context.backends().await?).await
    }

    /// Reads it.
    pub(crate) async fn read(context: &Context, backends: Backends) -> Result<Self, Error> {
        let sources = service::Schedule::open(&context.settings, &backends)?;
        let file = sources.source.load().await.map_err(unreadable)?;
        Ok(Self {
            backends,
            sources,
            file,
        })
    }

    /// The store that has the entry, and the entry there; none when the settings have it.
    pub(super) async fn stored(
        &self,
        name: &str,
    ) -> Result<Option<(Arc<dyn Store>, Value)>, Error> {
        for store in &self.sources.stores {
            if let Some(entry) = store.definition(name).await.map_err(unreadable)? {
                return Ok(Some((store.clone(), entry)));
            }
        }
        Ok(None)
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
    pub(crate) fn is_known(&self, name: &str) -> bool {
        !matches!(self.entry(name), Err(Error::NotFound(_)))
    }

    pub(super) fn unknown(&self, name: &str) -> Error {
        Error::NotFound(format!(
            "there is no entry {name:?}; celeriac schedule list shows them"
        ))
    }
}

fn unreadable(why: SourceError) -> Error {
    Error::Decode {
        what: "the schedule".to_owned(),
        why: why.to_string(),
    }
}

/// The error of an edit that a store refuses.
pub(super) fn refused(why: SourceError) -> Error {
    Error::Usage(format!("the entry is not written: {why}"))
}
