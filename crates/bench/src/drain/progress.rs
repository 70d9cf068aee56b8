//! How many tasks of a drain are done, asked from outside while the worker runs.

use std::time::Duration;

use anyhow::Context as _;
use protocol::{State, TaskMeta};

use crate::server_cpu::cpu_of;
use crate::setup::Store;
use crate::trial::{QUEUE, Trial};

/// How many metas are looked at in one round trip.
const FETCH: usize = 1_000;

/// Looks at the store of a trial.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Redis: stored results, or what is neither queued nor held.
    Redis {
        /// A connection of its own.
        connection: redis::aio::MultiplexedConnection,
        /// How many tasks were queued.
        tasks: u64,
        /// Keys before the first result, when results are counted.
        base: Option<u64>,
    },
    /// SQLite: what is neither queued nor held.
    Sqlite {
        /// How many tasks were queued.
        tasks: u64,
    },
}

impl Progress {
    /// Looks at a store that was filled with this many tasks and has no worker yet.
    pub(crate) async fn new(trial: &Trial<'_>, tasks: usize) -> anyhow::Result<Self> {
        let tasks = u64::try_from(tasks)?;
        if trial.setup.store == Store::Sqlite {
            return Ok(Self::Sqlite { tasks });
        }
        let client = redis::Client::open(trial.lab().redis().url())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let base = if trial.setup.results {
            Some(keys(&mut connection).await?)
        } else {
            None
        };
        Ok(Self::Redis {
            connection,
            tasks,
            base,
        })
    }

    /// How many tasks are done.
    pub(crate) async fn done(&mut self, trial: &Trial<'_>) -> anyhow::Result<u64> {
        match self {
            Self::Redis {
                connection,
                base: Some(base),
                ..
            } => Ok(keys(connection).await?.saturating_sub(*base)),
            Self::Redis {
                connection,
                tasks,
                base: None,
            } => {
                let mut both = redis::pipe();
                both.cmd("LLEN").arg(QUEUE).cmd("HLEN").arg("unacked");
                let (queued, held): (u64, u64) = both.query_async(connection).await?;
                Ok(tasks.saturating_sub(queued + held))
            }
            Self::Sqlite { tasks } => Ok(tasks.saturating_sub(trial.left().await?)),
        }
    }

    /// CPU time that the Redis server has used; `None` for SQLite, which has no server.
    pub(crate) async fn server_cpu(&mut self) -> anyhow::Result<Option<Duration>> {
        let Self::Redis { connection, .. } = self else {
            return Ok(None);
        };
        let text: String = redis::cmd("INFO")
            .arg("cpu")
            .query_async(connection)
            .await?;
        cpu_of(&text).map(Some)
    }
}

async fn keys(connection: &mut redis::aio::MultiplexedConnection) -> anyhow::Result<u64> {
    Ok(redis::cmd("DBSIZE").query_async(connection).await?)
}

/// How many of these tasks, from the first one on, have a stored SUCCESS without a gap. A bounded number is looked at.
pub(crate) async fn successes(trial: &Trial<'_>, ids: &[String]) -> anyhow::Result<usize> {
    let results = trial
        .backends
        .results
        .as_ref()
        .context("the store has no results")?;
    let metas = results.fetch(&ids[..FETCH.min(ids.len())]).await?;
    let done = |meta: &&Option<TaskMeta>| {
        meta.as_ref()
            .is_some_and(|meta| meta.status == State::Success)
    };
    Ok(metas.iter().take_while(done).count())
}
