//! The application's folders and its database.

use std::path::{Path, PathBuf};

use portfolio::store::Store;
use tokio::sync::OnceCell;
use worker::{Context, Outcome};

use crate::failure;

/// One per worker process; tasks reach it through [`app`].
#[derive(Debug)]
pub struct App {
    data: PathBuf,
    store: OnceCell<Store>,
}

impl App {
    /// An application whose database, logs and artefacts are in this folder.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            store: OnceCell::new(),
        }
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The finance database's file.
    pub fn database(&self) -> PathBuf {
        self.data.join("finance.db")
    }

    /// The folder that logs are cleaned in.
    pub fn logs(&self) -> PathBuf {
        self.data.join("logs")
    }

    /// The finance database. A missing file is an error at every call until it is there.
    ///
    /// # Errors
    /// When the file is missing, cannot be written, is busy or is no database; the text says what to do.
    pub async fn store(&self) -> Result<&Store, Outcome> {
        self.store
            .get_or_try_init(|| Store::open(self.database()))
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
