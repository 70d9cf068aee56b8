//! `celeriac schedule`.

mod backfill;
mod check;
mod edit;
mod entries;
mod history;
mod run_now;
mod show;
mod unknown;

use beat::Row;
use jiff::Timestamp;
use serde::Serialize;
use service::Exit;

use crate::context::Context;
use crate::error::Error;
use crate::next_runs::{self, local};
use crate::output;

pub(crate) use entries::Schedule;
use unknown::Registered;

/// The schedule: its entries, what runs next, and what ran
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  celeriac schedule list
  celeriac schedule next -n 20 --json
  celeriac schedule add nightly --task proj.nightly --schedule '0 2 * * *'
  celeriac schedule edit nightly --policy '{\"overlap\": \"skip\", \"jitter\": \"5m\"}'
  celeriac schedule disable nightly
  celeriac schedule history nightly
  celeriac schedule backfill nightly --from 2026-11-01T00:00:00Z --dry-run

The schedule is the setting beat_schedule, the tables of django-celery-beat at
celeriac_beat_database_url, and the entries on the broker. A running beat
follows edits of all within a second. Exit code 1 when an entry is wrong.")]
pub(crate) enum Args {
    /// Every entry with its last and next run
    List,
    /// The next runs of all entries together
    Next {
        /// How many
        #[arg(short = 'n', long, default_value = "10", value_parser = clap::value_parser!(u32).range(1..=10_000))]
        count: u32,
    },
    /// One entry whole
    Show {
        /// The entry's name
        name: String,
    },
    /// One entry's next runs, clock changes marked
    Preview {
        /// The entry's name
        name: String,
        /// How many
        #[arg(short = 'n', long, default_value = "10", value_parser = clap::value_parser!(u32).range(1..=10_000))]
        count: u32,
    },
    /// What became of an entry's latest slots
    History {
        /// The entry's name
        name: String,
    },
    /// Add an entry: to the tables of celeriac_beat_database_url if that is set, or else on the broker
    Add(edit::Fields),
    /// Change an entry of the tables or the broker; what is not given stays
    Edit(edit::Fields),
    /// Let an entry run again, from now on
    Enable {
        /// The entry's name
        name: String,
    },
    /// Let an entry rest
    Disable {
        /// The entry's name
        name: String,
    },
    /// Delete an entry of the tables or the broker
    Delete {
        /// The entry's name
        name: String,
    },
    /// Send an entry's task once, now
    RunNow {
        /// The entry's name
        name: String,
    },
    /// Send the slots of a past range that were not sent
    Backfill(backfill::Args),
    /// Create the tables of django-celery-beat at celeriac_beat_database_url, if Django's migrations have not
    CreateTables,
    /// Answer questions on standard input, one JSON object a line, as Celery's is_due does
    #[command(after_help = check::HELP)]
    Check,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    match args {
        Args::Check => check::run(),
        Args::CreateTables => create_tables(context).await,
        Args::List => list(context).await,
        Args::Next { count } => {
            let schedule = Schedule::open(context).await?;
            next_runs::show(&schedule, count as usize, context.json).await?;
            Ok(Exit::Ok)
        }
        Args::Show { name } => show::show(&name, context).await,
        Args::Preview { name, count } => show::preview(&name, count as usize, context).await,
        Args::History { name } => history::run(&name, context).await,
        Args::Add(fields) => edit::add(&fields, context).await,
        Args::Edit(fields) => edit::edit(&fields, context).await,
        Args::Enable { name } => edit::enable(&name, true, context).await,
        Args::Disable { name } => edit::enable(&name, false, context).await,
        Args::Delete { name } => edit::delete(&name, context).await,
        Args::RunNow { name } => run_now::run(&name, context).await,
        Args::Backfill(args) => backfill::run(&args, context).await,
    }
}

async fn create_tables(context: &Context) -> Result<Exit, Error> {
    service::create_schedule_tables(&context.settings).await?;
    output::line("the tables are there");
    Ok(Exit::Ok)
}

#[derive(Debug, Serialize)]
struct Entry<'a> {
    name: &'a str,
    task: &'a str,
    schedule: &'a str,
    timezone: &'a str,
    enabled: bool,
    last_run_at: Option<Timestamp>,
    total_run_count: u64,
    missed: u64,
    next: Option<Timestamp>,
    problem: Option<&'a str>,
    /// Whether workers run and none of them has the task.
    unknown_task: bool,
}

impl<'a> Entry<'a> {
    fn new(row: &'a Row, registered: &Registered) -> Self {
        Self {
            name: &row.name,
            task: &row.task,
            schedule: &row.schedule,
            timezone: &row.timezone,
            enabled: row.enabled,
            last_run_at: row.last_run_at,
            total_run_count: row.total_run_count,
            missed: row.missed,
            next: row.next.first().copied(),
            problem: row.problem.as_deref(),
            unknown_task: registered.is_unknown(&row.task),
        }
    }
}

async fn list(context: &Context) -> Result<Exit, Error> {
    let schedule = Schedule::open(context).await?;
    let registered = Registered::ask(&schedule, context).await?;
    let rows = schedule.rows(1).await?;
    let entries: Vec<_> = rows
        .iter()
        .map(|row| Entry::new(row, &registered))
        .collect();
    if context.json {
        output::json(&entries);
    } else {
        let headers = [
            "entry", "task", "schedule", "last run", "runs", "missed", "next run",
        ];
        let cells = entries.iter().map(cells).collect();
        output::table(
            &headers,
            cells,
            "nothing is scheduled; see the setting beat_schedule",
        );
    }
    let wrong = entries.iter().any(|entry| entry.problem.is_some());
    Ok(if wrong { Exit::Failure } else { Exit::Ok })
}

fn cells(entry: &Entry<'_>) -> Vec<String> {
    let time = |at: Option<Timestamp>| at.map(local).unwrap_or_default();
    let next = match (entry.problem, entry.enabled) {
        (Some(problem), _) => {
            let when = entry.next.map_or("never".to_owned(), local);
            format!("{when}: {problem}")
        }
        (None, false) => "never: disabled".to_owned(),
        (None, true) => time(entry.next),
    };
    let schedule = format!("{} {}", entry.schedule, entry.timezone);
    let counts = [entry.total_run_count, entry.missed].map(|count| count.to_string());
    let [runs, missed] = counts;
    vec![
        entry.name.to_owned(),
        match entry.unknown_task {
            true => format!("{} (no running worker has it)", entry.task),
            false => entry.task.to_owned(),
        },
        schedule.trim().to_owned(),
        time(entry.last_run_at),
        runs,
        missed,
        next,
    ]
}
