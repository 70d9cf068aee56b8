//! How much is measured: repetitions, tasks, lengths of queues, and which rows.

use clap::Args;

use crate::setup::Setup;

/// How much is measured.
#[derive(Debug, Clone, Args)]
pub(crate) struct Size {
    /// Repetitions; the tables show medians
    #[arg(long, default_value_t = 5, value_name = "N", global = true)]
    pub(crate) reps: usize,
    /// Tasks in a queue to be drained
    #[arg(long, default_value_t = 100_000, value_name = "N", global = true)]
    pub(crate) tasks: usize,
    /// The same for Python Celery
    #[arg(long, default_value_t = 5_000, value_name = "N", global = true)]
    pub(crate) celery_tasks: usize,
    /// Tasks in a series of single tasks
    #[arg(long, default_value_t = 500, value_name = "N", global = true)]
    pub(crate) samples: usize,
    /// Numbers of slots to drain with, besides the default settings
    #[arg(
        long,
        default_value = "10,100,1000",
        value_delimiter = ',',
        value_name = "N,N",
        global = true
    )]
    pub(crate) concurrency: Vec<usize>,
    /// Lengths of queues
    #[arg(
        long,
        default_value = "1000,10000,100000,1000000",
        value_delimiter = ',',
        value_name = "N,N",
        global = true
    )]
    pub(crate) depths: Vec<usize>,
    /// Numbers of tasks that wait for their time
    #[arg(
        long,
        default_value = "50000,1000000",
        value_delimiter = ',',
        value_name = "N,N",
        global = true
    )]
    pub(crate) eta_tasks: Vec<usize>,
    /// Entries of a large schedule
    #[arg(long, default_value_t = 1_000_000, value_name = "N", global = true)]
    pub(crate) entries: usize,
    /// Entries of django-celery-beat's schedule, all due in each second; in a large schedule as many are due
    #[arg(long, default_value_t = 10_000, value_name = "N", global = true)]
    pub(crate) celery_entries: usize,
    /// How long a scheduler is watched
    #[arg(long, default_value_t = 60, value_name = "SECONDS", global = true)]
    pub(crate) seconds: u64,
    /// Only rows whose name contains this text, such as "SQLite" or "-c 100"
    #[arg(long, value_name = "TEXT", global = true)]
    pub(crate) only: Option<String>,
}

impl Size {
    /// Those of the setups that `--only` leaves.
    pub(crate) fn chosen(&self, setups: impl IntoIterator<Item = Setup>) -> Vec<Setup> {
        let setups = setups.into_iter();
        setups.filter(|setup| self.is_chosen(setup)).collect()
    }

    /// Whether `--only` leaves this one.
    pub(crate) fn is_chosen(&self, setup: &Setup) -> bool {
        let text = self.only.as_ref();
        text.is_none_or(|text| setup.to_string().contains(text))
    }
}
