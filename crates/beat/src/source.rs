//! Where entries come from, and how beat learns that they have changed.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use protocol::Value;

use crate::{EntryError, Ran, ScheduleError, ScheduleFile};

/// Why a source cannot be read.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// Gives entries.
#[async_trait]
pub trait Source: Send + Sync + fmt::Debug {
    /// A text that changes whenever the entries do. Asked twice a second, so it must be cheap.
    async fn version(&self) -> Result<String, SourceError>;

    /// All entries as they are now; what is wrong with single ones is among its problems.
    async fn load(&self) -> Result<ScheduleFile, SourceError>;

    /// The names of all entries that changed from one version to another, and perhaps of some more; `None` when only a
    /// whole load tells.
    async fn changed(&self, _from: &str, _to: &str) -> Result<Option<Vec<String>>, SourceError> {
        Ok(None)
    }

    /// As [`Source::load`], but only what there is of these names.
    async fn load_named(&self, names: &[String]) -> Result<ScheduleFile, SourceError> {
        let mut schedule = self.load().await?;
        schedule.keep(&names.iter().map(String::as_str).collect());
        Ok(schedule)
    }

    /// Whether it wants to hear of runs.
    fn keeps_runs(&self) -> bool {
        false
    }

    /// Hears of the last run of entries, its own and others, after they were sent; again when it could not be told. Asked every few
    /// seconds, also without runs, so that it can put away what is over at `now`. Only the leader does so, but one that
    /// lost its lease may come late: older runs than those that are kept change nothing.
    async fn keep_runs(&self, _runs: &[Ran], _now: Timestamp) -> Result<(), SourceError> {
        Ok(())
    }
}

/// A source that can be edited; a running beat follows within a second.
#[async_trait]
pub trait Store: Source {
    /// What it is, as in "an entry of …".
    fn place(&self) -> String;

    /// The entry in the form of the settings, if it is there. What has no such form stays a text.
    async fn definition(&self, name: &str) -> Result<Option<Value>, SourceError>;

    /// Writes an entry, whether it was there or not. It is enabled or not as it says itself.
    async fn put(&self, name: &str, entry: &Value) -> Result<(), SourceError>;

    /// Deletes an entry.
    async fn delete(&self, name: &str) -> Result<(), SourceError>;

    /// Enables or disables an entry.
    async fn enable(&self, name: &str, enabled: bool) -> Result<(), SourceError>;
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
pub struct Sources {
    sources: Vec<Arc<dyn Source>>,
    defaults: ScheduleFile,
}

impl Sources {
    /// Earlier ones win.
    pub fn new(sources: Vec<Arc<dyn Source>>) -> Self {
        Self {
            sources,
            defaults: ScheduleFile::default(),
        }
    }

    /// With entries that give way to any of their name.
    #[must_use]
    pub fn with_defaults(self, defaults: ScheduleFile) -> Self {
        Self { defaults, ..self }
    }

    fn finish(&self, mut all: ScheduleFile, is_asked: impl Fn(&str) -> bool) -> ScheduleFile {
        for entry in &self.defaults.entries {
            if is_asked(&entry.name) && !all.has(&entry.name) {
                all.entries.push(entry.clone());
            }
        }
        all.apply_enabled();
        all
    }
}

/// Between the versions of the sources.
const SEPARATOR: char = '\0';

#[async_trait]
impl Source for Sources {
    async fn version(&self) -> Result<String, SourceError> {
        let mut versions = Vec::with_capacity(self.sources.len());
        for source in &self.sources {
            versions.push(source.version().await?);
        }
        Ok(versions.join(&SEPARATOR.to_string()))
    }

    async fn load(&self) -> Result<ScheduleFile, SourceError> {
        let mut all = ScheduleFile::default();
        for source in &self.sources {
            all.join(source.load().await?);
        }
        Ok(self.finish(all, |_| true))
    }

    async fn changed(&self, from: &str, to: &str) -> Result<Option<Vec<String>>, SourceError> {
        let mut names = Vec::new();
        let versions = from.split(SEPARATOR).zip(to.split(SEPARATOR));
        for (source, (from, to)) in self.sources.iter().zip(versions) {
            if from == to {
                continue;
            }
            match source.changed(from, to).await? {
                Some(changed) => names.extend(changed),
                None => return Ok(None),
            }
        }
        Ok(Some(names))
    }

    async fn load_named(&self, names: &[String]) -> Result<ScheduleFile, SourceError> {
        let mut all = ScheduleFile::default();
        for source in &self.sources {
            all.join(source.load_named(names).await?);
        }
        Ok(self.finish(all, |name| names.iter().any(|asked| asked == name)))
    }

    fn keeps_runs(&self) -> bool {
        self.sources.iter().any(|source| source.keeps_runs())
    }

    async fn keep_runs(&self, runs: &[Ran], now: Timestamp) -> Result<(), SourceError> {
        for source in self.sources.iter().filter(|source| source.keeps_runs()) {
            source.keep_runs(runs, now).await?;
        }
        Ok(())
    }
}

impl ScheduleFile {
    /// Leaves only what there is of these names.
    fn keep(&mut self, names: &HashSet<&str>) {
        self.entries.retain(|entry| names.contains(&*entry.name));
        self.problems
            .retain(|problem| names.contains(&*problem.entry));
        self.enabled.retain(|name, _| names.contains(&**name));
    }

    /// Whether there is an entry of this name, a wrong one included.
    fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
            || self.problems.iter().any(|problem| problem.entry == name)
    }

    fn apply_enabled(&mut self) {
        for entry in &mut self.entries {
            let enabled = self.enabled.get(&entry.name).copied();
            entry.enabled = enabled.unwrap_or(entry.enabled);
        }
    }

    /// Adds the entries of another source, but for names that are taken.
    fn join(&mut self, other: Self) {
        if self.entries.is_empty() {
            self.entries = other.entries;
            self.enabled.extend(other.enabled);
            self.problems.extend(other.problems);
            return;
        }
        let taken: HashSet<String> = self
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
