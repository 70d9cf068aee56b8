//! The schedule that the settings name: where entries come from, and where they can be edited.

mod settings_file;

use std::sync::Arc;

use beat::{Sources, Store, StoredSchedule};
use broker::Coordinator;

use self::settings_file::SettingsFile;
use crate::{Error, Settings};

/// The sources of entries.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// All of them as one.
    pub source: Arc<Sources>,
    /// Those that can be edited. New entries go to the first.
    pub stores: Vec<Arc<dyn Store>>,
    /// Enables and disables entries of the settings too.
    pub broker: Arc<dyn Store>,
}

impl Schedule {
    /// Opens what the settings name. Nothing is asked yet: a server that is down now may be up later.
    ///
    /// # Errors
    /// When a URL is wrong.
    pub fn open(settings: &Settings, coordinator: Arc<dyn Coordinator>) -> Result<Self, Error> {
        let broker = Arc::new(StoredSchedule::new(coordinator, settings.timezone()));
        let file = Arc::new(SettingsFile::new(settings.clone()));
        Ok(Self {
            source: Arc::new(Sources::new(vec![file, broker.clone()])),
            stores: vec![broker.clone()],
            broker,
        })
    }
}
