//! The options of a worker, with Celery's names.

use std::str::FromStr;
use std::time::Duration;

use std::path::PathBuf;

use clap::Parser;

use crate::celery_args::CeleryArgs;
use crate::pool_args::PoolArgs;
use crate::settings::Environment;
use crate::{CommonArgs, Error, Exit, LogArgs, node};

/// Runs a worker.
#[derive(Debug, Clone, Default, Parser)]
#[command(version, args_override_self = true, disable_help_subcommand = true, after_help = Exit::HELP)]
pub struct WorkerArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    #[command(flatten)]
    pub(crate) pool: PoolArgs,
    #[command(flatten)]
    pub(crate) celery: CeleryArgs,
    /// Queues to consume, in order of preference [default: task_default_queue]
    #[arg(short = 'Q', long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) queues: Vec<String>,
    /// Queues to leave out
    #[arg(short = 'X', long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) exclude_queues: Vec<String>,
    /// How many tasks run at once, or auto [default: processors]
    #[arg(short, long, value_name = "N")]
    pub(crate) concurrency: Option<String>,
    /// The node's name; %h host, %n its first part, %d its domain [default: celery@%h]
    #[arg(short = 'n', long, value_name = "NAME")]
    pub(crate) hostname: Option<String>,
    /// Send task events, for monitors
    #[arg(short = 'E', long, alias = "events")]
    pub(crate) task_events: bool,
    /// End after this many tasks
    #[arg(long, value_name = "N")]
    pub(crate) max_tasks: Option<u64>,
    /// Messages held per slot; 1 holds nothing that another worker could run
    #[arg(long, value_name = "N")]
    pub(crate) prefetch_multiplier: Option<String>,
    /// Seconds after which a task is ended
    #[arg(long, value_name = "SECONDS")]
    pub(crate) time_limit: Option<String>,
    /// Seconds after which a task is asked to end
    #[arg(long, value_name = "SECONDS")]
    pub(crate) soft_time_limit: Option<String>,
    /// Empty the queues before the start
    #[arg(long, alias = "discard")]
    pub(crate) purge: bool,
    /// Send no heartbeat events
    #[arg(long)]
    pub(crate) without_heartbeat: bool,
    /// Seconds between heartbeat events [default: 2]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) heartbeat_interval: Option<f64>,
    /// Answer /livez, /readyz and /metrics here, e.g. 127.0.0.1:9100 or unix:/run/worker.sock
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) http: Option<String>,
    /// Do not listen to other workers: their clocks and elections
    #[arg(long)]
    pub(crate) without_gossip: bool,
    /// Do not ask other workers at the start what is revoked
    #[arg(long)]
    pub(crate) without_mingle: bool,
    /// Run a beat as well, beside all others on the broker: one of them sends what is due
    #[arg(short = 'B', long)]
    pub(crate) beat: bool,
    /// Keep what is revoked in this file when the worker ends; %n node, %h host
    #[arg(short = 'S', long, value_name = "FILE")]
    pub(crate) statedb: Option<String>,
    /// `CELERY_WORKER_REVOKES_MAX`.
    #[arg(skip)]
    pub(crate) revokes_max: Option<String>,
    /// `CELERY_WORKER_REVOKE_EXPIRES`.
    #[arg(skip)]
    pub(crate) revoke_expires: Option<String>,
}

impl WorkerArgs {
    /// The settings that these options set.
    pub(crate) fn overrides(&self) -> Vec<(&'static str, &'static str, String)> {
        let events = self.task_events.then(|| "true".to_owned());
        let pairs = [
            ("worker_concurrency", "--concurrency", &self.concurrency),
            ("worker_send_task_events", "--task-events", &events),
            (
                "worker_prefetch_multiplier",
                "--prefetch-multiplier",
                &self.prefetch_multiplier,
            ),
            ("celeriac_http_address", "--http", &self.http),
            ("task_time_limit", "--time-limit", &self.time_limit),
            (
                "task_soft_time_limit",
                "--soft-time-limit",
                &self.soft_time_limit,
            ),
            ("worker_state_db", "--statedb", &self.statedb),
        ];
        let own = pairs
            .into_iter()
            .filter_map(|(name, option, value)| Some((name, option, value.clone()?)));
        let pool = self.pool.overrides();
        self.log
            .overrides()
            .into_iter()
            .chain(pool)
            .chain(self.celery.overrides())
            .chain(own)
            .collect()
    }

    /// Takes from Celery's variables for options (`CELERY_WORKER_QUEUES` …) what the command line leaves open.
    pub(crate) fn fill_from(&mut self, environment: &Environment) {
        let text = |name| environment.get(name).map(str::to_owned);
        let list = |name| {
            environment
                .get(name)
                .map(|value| value.split(',').map(str::to_owned).collect())
        };
        if self.queues.is_empty() {
            self.queues = list("CELERY_WORKER_QUEUES").unwrap_or_default();
        }
        if self.exclude_queues.is_empty() {
            self.exclude_queues = list("CELERY_WORKER_EXCLUDE_QUEUES").unwrap_or_default();
        }
        let fill =
            |option: &mut Option<String>, name| *option = option.take().or_else(|| text(name));
        fill(&mut self.hostname, "CELERY_WORKER_HOSTNAME");
        fill(&mut self.revokes_max, "CELERY_WORKER_REVOKES_MAX");
        fill(&mut self.revoke_expires, "CELERY_WORKER_REVOKE_EXPIRES");
        fill(&mut self.log.loglevel, "CELERY_WORKER_LOGLEVEL");
        fill(&mut self.log.logfile, "CELERY_WORKER_LOGFILE");
        fill(&mut self.time_limit, "CELERY_WORKER_TIME_LIMIT");
        fill(&mut self.soft_time_limit, "CELERY_WORKER_SOFT_TIME_LIMIT");
        fill(&mut self.celery.pidfile, "CELERY_WORKER_PIDFILE");
    }

    /// The file for the process's number.
    pub(crate) fn pidfile(&self) -> Option<PathBuf> {
        let path = self.celery.pidfile.as_deref()?;
        Some(node::node_path(path, &self.node()).into())
    }

    /// The node's name.
    pub(crate) fn node(&self) -> String {
        node::node_name(self.hostname.as_deref(), &node::host_name())
    }

    /// How many revoked ids are kept, if somebody says.
    pub(crate) fn revokes_max(&self) -> Result<Option<usize>, Error> {
        number(self.revokes_max.as_deref(), "CELERY_WORKER_REVOKES_MAX")
    }

    /// How long revoked ids are kept when there are too many, if somebody says.
    pub(crate) fn revoke_expires(&self) -> Result<Option<Duration>, Error> {
        let name = "CELERY_WORKER_REVOKE_EXPIRES";
        let seconds: Option<f64> = number(self.revoke_expires.as_deref(), name)?;
        let expires = seconds.map(Duration::try_from_secs_f64).transpose();
        expires.map_err(|_| Error::Usage(format!("{name} must be a number of seconds")))
    }

    /// The queues to consume.
    pub(crate) fn chosen_queues(&self, default: String) -> Vec<String> {
        let all = if self.queues.is_empty() {
            vec![default]
        } else {
            self.queues.clone()
        };
        let trimmed = all.iter().map(|queue| queue.trim().to_owned());
        trimmed
            .filter(|queue| !queue.is_empty() && !self.exclude_queues.contains(queue))
            .collect()
    }
}

fn number<T: FromStr>(text: Option<&str>, name: &str) -> Result<Option<T>, Error> {
    let number = text.map(|text| text.trim().parse()).transpose();
    number.map_err(|_| Error::Usage(format!("{name} must be a number")))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn parse(options: &[&str]) -> WorkerArgs {
        WorkerArgs::try_parse_from([&["worker"], options].concat()).unwrap()
    }

    #[test]
    fn celery_s_options_are_understood() {
        let args = parse(&[
            "-Q",
            "a,b",
            "-X",
            "b",
            "-c",
            "4",
            "-n",
            "w@%h",
            "-l",
            "info",
            "-E",
            "--time-limit",
            "9",
        ]);
        assert_eq!(args.chosen_queues("celery".to_owned()), ["a"]);
        let overrides = args.overrides();
        let find = |name| {
            overrides
                .iter()
                .find(|(known, ..)| *known == name)
                .map(|(.., value)| value.as_str())
        };
        assert_eq!(find("worker_concurrency"), Some("4"));
        assert_eq!(find("celeriac_log_level"), Some("INFO"));
        assert_eq!(find("worker_send_task_events"), Some("true"));
        assert_eq!(find("task_time_limit"), Some("9"));
        assert_eq!(find("worker_prefetch_multiplier"), None);
    }

    #[test]
    fn without_queues_it_is_the_default_queue() {
        assert_eq!(parse(&[]).chosen_queues("main".to_owned()), ["main"]);
    }

    #[test]
    fn variables_fill_what_is_left_open() {
        let variables = [
            ("CELERY_WORKER_QUEUES", "x,y"),
            ("CELERY_WORKER_HOSTNAME", "v@%h"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment =
            Environment::new(variables.into_iter(), Path::new("/nonexistent")).unwrap();
        let mut args = parse(&["-n", "given"]);
        args.fill_from(&environment);
        assert_eq!(args.hostname.as_deref(), Some("given"));
        assert_eq!(args.chosen_queues(String::new()), ["x", "y"]);
    }
}
