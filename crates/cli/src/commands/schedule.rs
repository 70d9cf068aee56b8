//! `celeriac schedule`.

mod check;

use beat::Row;
use jiff::Timestamp;
use serde::Serialize;
use service::Exit;

use crate::context::Context;
use crate::error::Error;
use crate::next_runs::{self, local};
use crate::output;

/// The schedule: its entries, and what runs next
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  celeriac schedule list
  celeriac schedule next -n 20 --json
  celeriac schedule check < questions.jsonl
The schedule is the setting beat_schedule. Exit code 1 when an entry is wrong.")]
pub(crate) enum Args {
    /// Every entry with its last and next run
    List,
    /// The next runs of all entries together
    Next {
        /// How many
        #[arg(short = 'n', long, default_value = "10")]
        count: usize,
    },
    /// Answer questions on standard input, one JSON object a line, as Celery's is_due does
    #[command(after_help = check::HELP)]
    Check,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    match args {
        Args::Check => check::run(),
        Args::List => {
            let backends = context.backends().await?;
            let rows = next_runs::entries(context, &backends, 1).await?;
            Ok(list(&rows, context.json))
        }
        Args::Next { count } => {
            let backends = context.backends().await?;
            next_runs::show(context, &backends, count).await?;
            Ok(Exit::Ok)
        }
    }
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
}

impl<'a> From<&'a Row> for Entry<'a> {
    fn from(row: &'a Row) -> Self {
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
        }
    }
}

fn list(rows: &[Row], json: bool) -> Exit {
    let entries: Vec<_> = rows.iter().map(Entry::from).collect();
    if json {
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
    if wrong { Exit::Failure } else { Exit::Ok }
}

fn cells(entry: &Entry<'_>) -> Vec<String> {
    let time = |at: Option<Timestamp>| at.map(local).unwrap_or_default();
    let next = match (entry.problem, entry.enabled) {
        (Some(problem), _) => format!("never: {problem}"),
        (None, false) => "never: disabled".to_owned(),
        (None, true) => time(entry.next),
    };
    let schedule = format!("{} {}", entry.schedule, entry.timezone);
    let counts = [entry.total_run_count, entry.missed].map(|count| count.to_string());
    let [runs, missed] = counts;
    vec![
        entry.name.to_owned(),
        entry.task.to_owned(),
        schedule.trim().to_owned(),
        time(entry.last_run_at),
        runs,
        missed,
        next,
    ]
}
