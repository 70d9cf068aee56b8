//! One opened file: its writer, its readers and its bell, shared by everything that one connect opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::bell::Bell;
use crate::error::{Result, SqliteError};
use crate::open;
use crate::operations::Operation;
use crate::operations::tidy::Tidy;
use crate::options::SqliteOptions;
use crate::readers::Readers;
use crate::turnstile::Turnstile;
use crate::writer::{Log, Writer, WriterParams};

/// Between two looks for what time has overtaken.
const TIDY_EVERY: Duration = Duration::from_secs(10);

/// An opened file. Dropping it, or closing it, ends everything that runs for it.
#[derive(Debug)]
pub(crate) struct Store {
    options: SqliteOptions,
    writer: Writer,
    pub(crate) readers: Readers,
    pub(crate) bell: Arc<Bell>,
    pub(crate) closed: CancellationToken,
    pub(crate) tasks: TaskTracker,
    _close_on_drop: DropGuard,
}

impl Store {
    pub(crate) async fn open(options: SqliteOptions) -> Result<Arc<Self>> {
        let file = options.clone();
        let opening = spawn_blocking(move || open::open_writer(&file));
        // It fails only when the runtime ends.
        let conn = opening.await.map_err(|_| SqliteError::Closed)??;
        let (closed, tasks) = (CancellationToken::new(), TaskTracker::new());
        let close_on_drop = closed.clone().drop_guard();
        let bell = Bell::open(&options.path, &tasks, closed.clone())?;
        let params = WriterParams {
            conn,
            bell: bell.clone(),
            log: Log::new(log_beside(&options.path), options.busy_timeout),
            turnstile: Turnstile::new(bell.path().to_owned(), options.busy_timeout),
            closed: closed.clone(),
        };
        let writer = Writer::start(params, &tasks)?;
        tasks.spawn(
            closed
                .clone()
                .run_until_cancelled_owned(tidy(writer.clone())),
        );
        Ok(Arc::new(Self {
            readers: Readers::new(options.clone()),
            options,
            writer,
            bell,
            closed,
            tasks,
            _close_on_drop: close_on_drop,
        }))
    }

    /// Carries an operation out in the next transaction and returns after its commit.
    pub(crate) async fn write<O: Operation>(&self, operation: O) -> Result<O::Output> {
        self.writer.write(operation).await
    }

    pub(crate) fn options(&self) -> &SqliteOptions {
        &self.options
    }

    /// The write-ahead log's file.
    pub(crate) fn log(&self) -> PathBuf {
        log_beside(&self.options.path)
    }

    /// Ends everything and closes the file; what was asked for before is still carried out.
    pub(crate) async fn close(&self) {
        self.closed.cancel();
        self.readers.close().await;
        self.tasks.close();
        self.tasks.wait().await;
    }
}

fn log_beside(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push("-wal");
    path.into()
}

async fn tidy(writer: Writer) {
    loop {
        sleep(TIDY_EVERY).await;
        if let Err(error) = writer.write(Tidy).await {
            tracing::warn!(%error, "old entries were not removed; trying again later");
        }
    }
}
