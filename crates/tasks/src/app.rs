//! The application's folders and its database.

use std::path::{Path, PathBuf};
use std::time::Duration;

use market_data::Providers;
use portfolio::store::Store;
use serde_json::Value;
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
    record_timeout: Duration,
}

/// How long a run waits for its row unless the settings say so.
const RECORD_TIMEOUT: Duration = Duration::from_secs(2);

impl App {
    /// An application whose logs, artefacts and, by default, database are in this folder.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        let data = data.into();
        Self {
            providers: Providers::of_folder(&data),
            data,
            database: None,
            store: OnceCell::new(),
            record_timeout: RECORD_TIMEOUT,
        }
    }

    /// The same with what settings, by their names, say of running tasks: `celeriac_finance_record_timeout`, in seconds.
    #[must_use]
    pub fn with_settings(mut self, values: &Value) -> Self {
        let seconds = values["celeriac_finance_record_timeout"].as_f64();
        let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        self.record_timeout = timeout.unwrap_or(RECORD_TIMEOUT);
        self
    }

    /// How long a run waits for its row in `task_runs` to be written, at its start and at its end.
    pub(crate) fn record_timeout(&self) -> Duration {
        self.record_timeout
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
