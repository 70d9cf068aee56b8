//! The application's folders and its database.

use std::path::{Path, PathBuf};

use market_data::Providers;
use portfolio::store::Store;
use tokio::sync::OnceCell;
use worker::{Context, Outcome};

use crate::arguments::Place;
use crate::failure;

/// One per worker process; tasks reach it through [`app`].
#[derive(Debug)]
pub struct App {
    data: PathBuf,
    database: Option<String>,
    store: OnceCell<Store>,
    providers: Providers,
}

impl App {
    /// An application whose logs, artefacts and, by default, database are in this folder.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        let data = data.into();
        Self {
            providers: Providers::of_folder(&data),
            data,
            database: None,
            store: OnceCell::new(),
        }
    }

    /// The same with these providers of market data.
    #[must_use]
    pub fn with_providers(mut self, providers: Providers) -> Self {
        self.providers = providers;
        self
    }

    /// The providers of market data.
    pub fn providers(&self) -> &Providers {
        &self.providers
    }

    /// The same with its database elsewhere: a `postgresql://` URL, or the path of a SQLite file.
    #[must_use]
    pub fn with_database(mut self, url: impl Into<String>) -> Self {
        self.database = Some(url.into());
        self
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The finance database's URL; a file in the data folder unless set.
    pub fn database(&self) -> String {
        let file = || self.data.join("finance.db").display().to_string();
        self.database.clone().unwrap_or_else(file)
    }

    /// The folder of a place.
    pub fn place(&self, place: Place) -> PathBuf {
        self.data.join(match place {
            Place::Logs => "logs",
            Place::Temp => "temp",
            Place::Backups => "backups",
            Place::Statements => "statements",
        })
    }

    /// The finance database. A missing file or silent server is an error at every call until it is there.
    ///
    /// # Errors
    /// When the database is missing, cannot be reached or written, is busy or is no database; the text says what to do.
    pub async fn store(&self) -> Result<&Store, Outcome> {
        self.store
            .get_or_try_init(async || Store::open_url(&self.database()).await)
            .await
            .map_err(failure)
    }
}

/// The application of the worker that runs this task.
///
/// # Errors
/// When the worker was built without one.
pub fn app(ctx: &Context) -> Result<&App, Outcome> {
    ctx.state::<App>().ok_or_else(|| {
        Outcome::fail(
            "RuntimeError",
            "this worker was built without the finance application",
        )
    })
}
