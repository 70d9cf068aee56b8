//! The setting `beat_schedule`, read again when its file changes.

use std::fs;

use async_trait::async_trait;
use beat::{ScheduleFile, Source, SourceError};

use crate::Settings;

/// The settings as they were at the start, and where they came from.
#[derive(Debug)]
pub(super) struct SettingsFile {
    settings: Settings,
}

impl SettingsFile {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings }
    }
}

#[async_trait]
impl Source for SettingsFile {
    /// The file's time and size: who edits it changes at least one of them.
    async fn version(&self) -> Result<String, SourceError> {
        let Some(path) = self.settings.file() else {
            return Ok(String::new());
        };
        let about = fs::metadata(path)?;
        Ok(format!("{:?} {}", about.modified()?, about.len()))
    }

    async fn load(&self) -> Result<ScheduleFile, SourceError> {
        let settings = self.settings.reload()?;
        Ok(ScheduleFile::read(
            &settings.map("beat_schedule"),
            settings.timezone(),
        ))
    }
}
