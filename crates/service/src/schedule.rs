//! The schedule that the settings name: where entries come from, and where they can be edited.

mod defaults;
mod settings_file;

use std::sync::Arc;

use beat::{Source, Sources, Store, StoredSchedule};
use beat_sql::Tables;
use broker::Backends;

use self::defaults::defaults;
use self::settings_file::SettingsFile;
use crate::open::install_tls_provider;
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

/// Creates the tables of django-celery-beat in the database that the settings name.
///
/// # Errors
/// When they name none, or it cannot be written.
pub async fn create_schedule_tables(settings: &Settings) -> Result<(), Error> {
    let Some(url) = settings.text("celeriac_beat_database_url") else {
        return Err(Error::Usage(
            "celeriac_beat_database_url is not set".to_owned(),
        ));
    };
    install_tls_provider();
    Tables::create(url).await.map_err(Error::program)
}

impl Schedule {
    /// Opens what the settings name. Nothing is asked yet: a server that is down now may be up later.
    ///
    /// # Errors
    /// When a URL is wrong.
    pub fn open(settings: &Settings, backends: &Backends) -> Result<Self, Error> {
        let coordinator = backends.coordinator.clone();
        let broker = Arc::new(StoredSchedule::new(coordinator, settings.timezone()));
        let file = Arc::new(SettingsFile::new(settings.clone()));
        let mut sources: Vec<Arc<dyn Source>> = vec![file];
        let mut stores: Vec<Arc<dyn Store>> = Vec::new();
        if let Some(url) = settings.text("celeriac_beat_database_url") {
            install_tls_provider();
            let tables = Tables::open(url, settings.timezone()).map_err(Error::program)?;
            let tables = Arc::new(tables);
            sources.push(tables.clone());
            stores.push(tables);
        }
        sources.push(broker.clone());
        stores.push(broker.clone());
        Ok(Self {
            source: Arc::new(Sources::new(sources).with_defaults(defaults(settings, backends))),
            stores,
            broker,
        })
    }
}
