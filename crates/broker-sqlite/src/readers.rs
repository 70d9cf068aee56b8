//! Connections that read: a few, opened when they are needed, each used by one reader at a time on a thread that may wait.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::error::{Result, SqliteError};
use crate::open;
use crate::options::SqliteOptions;

/// How many may read at once; more wait for their turn.
const READERS: u32 = 4;

/// Reads the file, beside whoever writes.
#[derive(Clone, Debug)]
pub(crate) struct Readers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: SqliteOptions,
    idle: Mutex<Vec<Connection>>,
    turns: Arc<Semaphore>,
}

impl Readers {
    /// The file exists by now; nothing is opened yet.
    pub(crate) fn new(options: SqliteOptions) -> Self {
        Self(Arc::new(Shared {
            options,
            idle: Mutex::default(),
            turns: Arc::new(Semaphore::new(READERS as usize)),
        }))
    }

    /// Reads. What was begun is finished, even when its caller has gone.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turns = self.0.turns.clone();
        let turn = turns.acquire_owned().await;
        let turn = turn.map_err(|_| SqliteError::Closed)?;
        let shared = self.0.clone();
        let reading = spawn_blocking(move || {
            let outcome = shared.read(read);
            drop(turn);
            outcome
        });
        // It fails only when the runtime ends.
        reading.await.map_err(|_| SqliteError::Closed)?
    }

    /// Waits for those who read, and closes the connections.
    pub(crate) async fn close(&self) {
        if let Ok(all) = self.0.turns.acquire_many(READERS).await {
            all.forget();
            self.0.turns.close();
        }
        self.0.idle().clear();
    }
}

impl Shared {
    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = self.idle().pop();
        let conn = match idle {
            Some(conn) => conn,
            None => open::open_reader(&self.options)?,
        };
        let outcome = read(&conn);
        self.idle().push(conn);
        outcome
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
