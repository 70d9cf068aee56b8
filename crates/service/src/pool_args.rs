//! The options of a worker's pool, with Celery's names.

use std::time::Duration;

use clap::Args;
use worker::{Autoscale, ChildCommand, Pool, WorkerSettings};

use crate::Error;
use crate::settings::Environment;

/// The hidden option by which a worker starts its children.
const CHILD: &str = "--pool-child";

/// Where tasks run and how many at once.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PoolArgs {
    /// Where tasks run that do not say where: async, threads, prefork (child processes) or solo [default: async]
    #[arg(short = 'P', long, value_name = "POOL", ignore_case = true)]
    pub(crate) pool: Option<String>,
    /// Let the number of slots follow the work, between these bounds; takes the place of --concurrency
    #[arg(long, value_name = "MAX,MIN")]
    pub(crate) autoscale: Option<String>,
    /// Replace a child process after this many tasks
    #[arg(long, value_name = "N")]
    pub(crate) max_tasks_per_child: Option<String>,
    /// Replace a child process that has more resident memory after a task
    #[arg(long, value_name = "KIB")]
    pub(crate) max_memory_per_child: Option<String>,
    /// Be a child process of a worker with these same options
    #[arg(long, hide = true)]
    pub(crate) pool_child: bool,
}

impl PoolArgs {
    /// The settings that these options set.
    pub(crate) fn overrides(&self) -> Vec<(&'static str, &'static str, String)> {
        let pool = self.pool.as_ref().map(|pool| pool.to_lowercase());
        let tasks = self.max_tasks_per_child.clone();
        let memory = self.max_memory_per_child.clone();
        let pairs = [
            ("worker_pool", "--pool", pool),
            ("worker_max_tasks_per_child", "--max-tasks-per-child", tasks),
            (
                "worker_max_memory_per_child",
                "--max-memory-per-child",
                memory,
            ),
        ];
        pairs
            .into_iter()
            .filter_map(|(name, option, value)| Some((name, option, value?)))
            .collect()
    }

    /// These settings with what only the command line and the environment say.
    pub(crate) fn apply(
        &self,
        settings: WorkerSettings,
        environment: &Environment,
    ) -> Result<WorkerSettings, Error> {
        let bounds = self.autoscale.as_deref();
        let keepalive = environment.get("AUTOSCALE_KEEPALIVE");
        Ok(WorkerSettings {
            worker_autoscale: bounds.map(autoscale).transpose()?,
            autoscale_keepalive: keepalive
                .map(seconds)
                .transpose()?
                .unwrap_or(settings.autoscale_keepalive),
            child: Some(child_command()?),
            ..settings
        })
    }
}

/// This program again with the same options, as a child.
fn child_command() -> Result<ChildCommand, Error> {
    let own = std::env::args_os().skip(1);
    let args = own.chain([CHILD.into()]).collect();
    ChildCommand::this_program(args).map_err(Error::program)
}

/// Celery's `MAX,MIN` in either order; one number is the most, with the least as small as it can be.
fn autoscale(text: &str) -> Result<Autoscale, Error> {
    let wrong = || Error::Usage(format!("--autoscale must be MAX,MIN or MAX, not {text:?}"));
    let numbers = text.split(',').map(|number| number.trim().parse::<usize>());
    let numbers: Vec<usize> = numbers.collect::<Result<_, _>>().map_err(|_| wrong())?;
    match numbers[..] {
        [max] => Ok(Autoscale { max, min: 0 }),
        [one, other] => Ok(Autoscale {
            max: one.max(other),
            min: one.min(other),
        }),
        _ => Err(wrong()),
    }
}

fn seconds(text: &str) -> Result<Duration, Error> {
    let number = text.trim().parse().ok();
    let seconds = number.and_then(|number| Duration::try_from_secs_f64(number).ok());
    seconds.ok_or_else(|| {
        Error::Usage(format!(
            "AUTOSCALE_KEEPALIVE must be a number of seconds, not {text:?}"
        ))
    })
}

/// The pool that a setting names, with a word about names that mean something else in Celery.
pub(crate) fn pool_named(name: &str) -> Pool {
    if matches!(name, "gevent" | "eventlet") {
        tracing::info!("the pool {name} is Python's; tasks run on the async runtime instead");
    }
    Pool::from_name(name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_come_in_either_order() {
        let bounds = |text| autoscale(text).map(|bounds| (bounds.max, bounds.min)).ok();
        assert_eq!(bounds("10,3"), Some((10, 3)));
        assert_eq!(bounds("3, 10"), Some((10, 3)));
        assert_eq!(bounds("5"), Some((5, 0)));
        assert_eq!(bounds("1,2,3"), None);
        assert_eq!(bounds("many"), None);
    }
}
