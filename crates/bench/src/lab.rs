//! What all measurements share: a Redis server of their own, a folder, Python Celery where it is installed.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use testkit::{RedisServer, TempDir};

use crate::celery::Celery;
use crate::machine::Machine;
use crate::reference::Reference;
use crate::row::{Row, Run};
use crate::setup::{Engine, Setup};
use crate::tasks;
use crate::trial::Trial;

/// Shown in the row of a peer that is not there.
const NOT_INSTALLED: &str = "not installed: make setup";

/// The servers and folders of one run of the program; they go with it.
#[derive(Debug)]
pub(crate) struct Lab {
    redis: RedisServer,
    folder: TempDir,
    worker: PathBuf,
    beat: PathBuf,
    celery: Option<Celery>,
}

impl Lab {
    /// Starts a Redis server without persistence on a free port.
    ///
    /// # Panics
    /// When no Redis server is installed; the text says how to install it.
    pub(crate) fn open() -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        Celery::prepare(folder.path())?;
        let worker = tasks::install(tasks::WORKER, folder.path())?;
        let beat = tasks::install(tasks::BEAT, folder.path())?;
        Ok(Self {
            redis: RedisServer::start(),
            folder,
            worker,
            beat,
            celery: Celery::find(),
        })
    }

    /// The machine and the versions of what is measured on it.
    pub(crate) fn machine(&self) -> anyhow::Result<Machine> {
        Machine::look(&self.redis, self.celery.as_ref())
    }

    /// The Redis server.
    pub(crate) fn redis(&self) -> &RedisServer {
        &self.redis
    }

    /// Empties the Redis server. From now on it keeps an append-only file, synchronised every second, or does not.
    pub(crate) fn empty_redis(&self, aof: bool) -> anyhow::Result<()> {
        let aof = if aof { "yes" } else { "no" };
        for command in [&["FLUSHALL"][..], &["CONFIG", "SET", "appendonly", aof]] {
            let reply = self.redis.cli(command);
            ensure!(reply == "OK", "the server answers {command:?} with {reply}");
        }
        Ok(())
    }

    /// The folder, for a trial's files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A new folder inside it.
    pub(crate) fn new_folder(&self) -> anyhow::Result<PathBuf> {
        Ok(TempDir::new_in(self.folder.path())?.keep())
    }

    /// The program of our worker.
    pub(crate) fn worker(&self) -> &Path {
        &self.worker
    }

    /// The program of our scheduler.
    pub(crate) fn beat(&self) -> &Path {
        &self.beat
    }

    /// Python Celery, if it is installed.
    pub(crate) fn celery(&self) -> Option<&Celery> {
        self.celery.as_ref()
    }

    /// Measures every setup `reps` times, as [`Self::in_turn`] does.
    pub(crate) async fn repeat<R>(
        &self,
        what: &str,
        setups: impl IntoIterator<Item = Setup>,
        reps: usize,
        once: impl AsyncFn(&Trial<'_>) -> anyhow::Result<R>,
    ) -> Vec<Row<R>> {
        let cases = setups.into_iter().map(|setup| (setup, ()));
        let once = async |trial: &Trial<'_>, (): &()| once(trial).await;
        self.in_turn(what, cases, reps, once).await
    }

    /// Measures every case `reps` times, each on an empty store. They take turns, so that a machine that gets slower does so for all
    /// of them. A failure ends a row with a note.
    pub(crate) async fn in_turn<C, R>(
        &self,
        what: &str,
        cases: impl IntoIterator<Item = (Setup, C)>,
        reps: usize,
        once: impl AsyncFn(&Trial<'_>, &C) -> anyhow::Result<R>,
    ) -> Vec<Row<R>> {
        let (setups, cases): (Vec<Setup>, Vec<C>) = cases.into_iter().unzip();
        let mut rows: Vec<Row<R>> = setups.into_iter().map(|setup| self.row(setup)).collect();
        for rep in 1..=reps {
            let going = rows.iter_mut().zip(&cases);
            for (row, case) in going.filter(|(row, _)| row.note.is_none()) {
                eprintln!("{what}: {}, {rep} of {reps}", row.setup);
                self.add(row, async |trial| once(trial, case).await).await;
            }
        }
        rows
    }

    /// Why there is nothing to measure.
    pub(crate) fn missing(&self, setup: Setup) -> Option<String> {
        let missing = setup.engine == Engine::Celery && self.celery.is_none();
        missing.then(|| NOT_INSTALLED.to_owned())
    }

    fn row<R>(&self, setup: Setup) -> Row<R> {
        Row {
            setup,
            runs: Vec::new(),
            note: self.missing(setup),
        }
    }

    async fn add<R>(&self, row: &mut Row<R>, once: impl AsyncFn(&Trial<'_>) -> anyhow::Result<R>) {
        match self.once(row.setup, once).await {
            Ok(run) => row.runs.push(run),
            Err(error) => {
                eprintln!("  failed: {error:#}");
                row.note = Some(format!("failed: {error:#}"));
            }
        }
    }

    /// One repetition on an empty store.
    pub(crate) async fn once<R>(
        &self,
        setup: Setup,
        once: impl AsyncFn(&Trial<'_>) -> anyhow::Result<R>,
    ) -> anyhow::Result<Run<R>> {
        let reference = Reference::measure(&self.redis)?;
        let trial = Trial::open(self, setup).await?;
        let figures = once(&trial).await;
        trial.close().await;
        Ok(Run {
            reference,
            figures: figures?,
        })
    }
}
