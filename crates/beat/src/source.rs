//! Where entries come from, and how beat learns that they have changed.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{EntryError, ScheduleError, ScheduleFile};

/// Why a source cannot be read.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// Gives entries.
#[async_trait]
pub trait Source: Send + Sync + fmt::Debug {
    /// A text that changes whenever the entries do. Asked twice a second, so it must be cheap.
    async fn version(&self) -> Result<String, SourceError>;

    /// All entries as they are now; what is wrong with single ones is among its problems.
    async fn load(&self) -> Result<ScheduleFile, SourceError>;
}

/// A schedule that never changes.
#[async_trait]
impl Source for ScheduleFile {
    async fn version(&self) -> Result<String, SourceError> {
        Ok(String::new())
    }

    async fn load(&self) -> Result<ScheduleFile, SourceError> {
        Ok(self.clone())
    }
}

/// Several sources as one. A name that is taken already is a problem of the later entry.
#[derive(Debug)]
pub struct Sources(Vec<Arc<dyn Source>>);

impl Sources {
    /// Earlier ones win.
    pub fn new(sources: Vec<Arc<dyn Source>>) -> Self {
        Self(sources)
    }
}

#[async_trait]
impl Source for Sources {
    async fn version(&self) -> Result<String, SourceError> {
        let mut versions = Vec::with_capacity(self.0.len());
        for source in &self.0 {
            versions.push(source.version().await?);
        }
        Ok(versions.join("\0"))
    }

    async fn load(&self) -> Result<ScheduleFile, SourceError> {
        let mut all = ScheduleFile::default();
        for source in &self.0 {
            all.join(source.load().await?);
        }
        for entry in &mut all.entries {
            entry.enabled = all
                .enabled
                .get(&entry.name)
                .copied()
                .unwrap_or(entry.enabled);
        }
        Ok(all)
    }
}

impl ScheduleFile {
    /// Adds the entries of another source, but for names that are taken.
    fn join(&mut self, other: Self) {
        let taken: std::collections::HashSet<String> = self
            .entries
            .iter()
            .map(|entry| entry.name.clone())
            .collect();
        let (doubled, new): (Vec<_>, Vec<_>) = other
            .entries
            .into_iter()
            .partition(|entry| taken.contains(&entry.name));
        self.entries.extend(new);
        self.enabled.extend(other.enabled);
        self.problems.extend(other.problems);
        self.problems
            .extend(doubled.into_iter().map(|entry| EntryError {
                entry: entry.name,
                field: "(name)".to_owned(),
                source: Arc::new(ScheduleError::Doubled),
            }));
    }
}
