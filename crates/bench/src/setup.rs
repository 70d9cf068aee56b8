//! What is measured: an engine on a store under a few settings, and what it is called in the tables.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whose worker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Engine {
    /// Ours.
    Celeriac,
    /// Python Celery, prefork pool.
    Celery,
}

/// Where queues and results are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Store {
    /// A Redis server without persistence.
    Redis,
    /// One SQLite file.
    Sqlite,
}

/// One row of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// Whose worker.
    pub(crate) engine: Engine,
    /// On what.
    pub(crate) store: Store,
    /// Tasks at once, `-c`.
    pub(crate) concurrency: usize,
    /// Whether `concurrency` is what the worker takes when nobody says anything.
    pub(crate) is_default: bool,
    /// Whether results are stored.
    pub(crate) results: bool,
    /// Whether task events are sent (`-E`).
    pub(crate) events: bool,
    /// Whether Redis writes an append-only file, synchronised every second.
    #[serde(default)]
    pub(crate) aof: bool,
}

impl Setup {
    /// Our worker with default settings: as many tasks at once as the machine has cores, results stored.
    pub(crate) fn celeriac(store: Store) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            engine: Engine::Celeriac,
            store,
            concurrency: cores,
            is_default: true,
            results: true,
            events: false,
            aof: false,
        }
    }

    /// Python Celery's worker with two processes and otherwise default settings, results stored.
    pub(crate) fn celery() -> Self {
        Self {
            engine: Engine::Celery,
            concurrency: 2,
            is_default: false,
            ..Self::celeriac(Store::Redis)
        }
    }

    /// Our worker on every store, and Python Celery's: the rows of most tables.
    pub(crate) fn usual() -> [Self; 3] {
        [
            Self::celeriac(Store::Redis),
            Self::celeriac(Store::Sqlite),
            Self::celery(),
        ]
    }

    /// With this many tasks at once.
    pub(crate) fn with_concurrency(self, concurrency: usize) -> Self {
        Self {
            concurrency,
            is_default: false,
            ..self
        }
    }

    /// With or without results.
    pub(crate) fn with_results(self, results: bool) -> Self {
        Self { results, ..self }
    }

    /// With task events on.
    pub(crate) fn with_events(self) -> Self {
        Self {
            events: true,
            ..self
        }
    }

    /// With an append-only file.
    pub(crate) fn with_aof(self) -> Self {
        Self { aof: true, ..self }
    }

    /// The options of the worker's command line that say all this but the store and the results.
    pub(crate) fn worker_options(&self) -> Vec<String> {
        let mut options = Vec::new();
        if !self.is_default {
            options.extend(["-c".to_owned(), self.concurrency.to_string()]);
        }
        if self.events {
            options.push("-E".to_owned());
        }
        options
    }

    /// `-c 100`, or `-c 2 (default)`.
    pub(crate) fn concurrency_text(&self) -> String {
        format!(
            "-c {}{}",
            self.concurrency,
            if self.is_default { " (default)" } else { "" }
        )
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} on {}, {}",
            self.engine,
            self.store,
            self.concurrency_text()
        )?;
        f.write_str(if self.results {
            ""
        } else {
            ", without results"
        })?;
        f.write_str(if self.aof { ", AOF" } else { "" })
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Celeriac => "Celeriac",
            Self::Celery => "Python Celery, prefork",
        })
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redis => "Redis",
            Self::Sqlite => "SQLite",
        })
    }
}
