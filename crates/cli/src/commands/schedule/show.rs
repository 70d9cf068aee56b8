//! `celeriac schedule show` and `preview`: one entry, and its slots to come with the clock changes among them.

use beat::{Coming, Entry, Row, coming};
use jiff::Timestamp;
use serde::Serialize;
use service::Exit;

use super::entries::Schedule;
use super::unknown::Registered;
use crate::context::Context;
use crate::error::Error;
use crate::next_runs::local;
use crate::output;

/// How many slots `show` lists.
const SHOWN: usize = 10;

#[derive(Debug, Serialize)]
struct Run {
    /// The slot.
    at: Timestamp,
    /// Its wall clock in the entry's zone.
    wall_clock: String,
    /// Seconds that the clocks were set since the slot before; negative when back.
    clock_change: Option<i32>,
}

#[derive(Debug, Serialize)]
struct Shown<'a> {
    name: &'a str,
    task: &'a str,
    schedule: String,
    timezone: &'a str,
    enabled: bool,
    args: &'a [protocol::Value],
    kwargs: &'a protocol::Map,
    policy: String,
    last_run_at: Option<Timestamp>,
    total_run_count: u64,
    missed: u64,
    /// Why it could not be sent when it was due last.
    problem: Option<&'a str>,
    /// Whether workers run and none of them has the task.
    unknown_task: bool,
    next: Vec<Run>,
}

pub(super) async fn preview(name: &str, count: usize, context: &Context) -> Result<Exit, Error> {
    let schedule = Schedule::open(context).await?;
    let runs = runs(schedule.entry(name)?, count);
    if context.json {
        output::json(&runs);
    } else {
        table(&runs);
    }
    Ok(Exit::Ok)
}

pub(super) async fn show(name: &str, context: &Context) -> Result<Exit, Error> {
    let schedule = Schedule::open(context).await?;
    let entry = schedule.entry(name)?;
    let rows = schedule.rows(0).await?;
    let row = rows
        .into_iter()
        .find(|row| row.name == name)
        .unwrap_or_default();
    let registered = Registered::ask(&schedule, context).await?;
    let shown = Shown {
        unknown_task: registered.is_unknown(&entry.task),
        ..shown(entry, &row)
    };
    if context.json {
        output::json(&shown);
        return Ok(Exit::Ok);
    }
    output::table(&["field", "value"], fields(&shown), "");
    output::line("");
    table(&shown.next);
    Ok(Exit::Ok)
}

fn shown<'a>(entry: &'a Entry, row: &'a Row) -> Shown<'a> {
    Shown {
        name: &entry.name,
        task: &entry.task,
        schedule: entry.timetable.schedule.to_string(),
        timezone: &entry.timetable.zone_name,
        enabled: entry.enabled,
        args: &entry.args,
        kwargs: &entry.kwargs,
        policy: entry.policy.to_string(),
        last_run_at: row.last_run_at,
        total_run_count: row.total_run_count,
        missed: row.missed,
        problem: row.problem.as_deref(),
        unknown_task: false,
        next: runs(entry, if entry.enabled { SHOWN } else { 0 }),
    }
}

fn fields(shown: &Shown<'_>) -> Vec<Vec<String>> {
    let fields = [
        ("entry", shown.name.to_owned()),
        ("task", shown.task.to_owned()),
        ("known", known(shown.unknown_task).to_owned()),
        ("schedule", format!("{} {}", shown.schedule, shown.timezone)),
        ("enabled", shown.enabled.to_string()),
        ("args", text(&shown.args)),
        ("kwargs", text(shown.kwargs)),
        ("policy", shown.policy.clone()),
        ("last run", shown.last_run_at.map(local).unwrap_or_default()),
        ("runs", shown.total_run_count.to_string()),
        ("missed", shown.missed.to_string()),
        ("problem", shown.problem.unwrap_or_default().to_owned()),
    ];
    fields
        .map(|(name, value)| vec![name.to_owned(), value])
        .into()
}

fn known(unknown_task: bool) -> &'static str {
    if unknown_task {
        "no running worker has this task"
    } else {
        ""
    }
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| error.to_string())
}

fn runs(entry: &Entry, count: usize) -> Vec<Run> {
    let run = |coming: Coming| Run {
        at: coming.slot,
        wall_clock: coming
            .slot
            .to_zoned(entry.timetable.zone.clone())
            .strftime("%a %Y-%m-%d %H:%M:%S %Z")
            .to_string(),
        clock_change: coming.clock_change,
    };
    coming(entry, Timestamp::now())
        .take(count)
        .map(run)
        .collect()
}

fn table(runs: &[Run]) {
    let change = |seconds: i32| {
        let direction = if seconds > 0 { "forward" } else { "back" };
        format!("clocks go {direction} by {} min", seconds.abs() / 60)
    };
    let rows = runs.iter().map(|run| {
        vec![
            run.wall_clock.clone(),
            run.at.to_string(),
            run.clock_change.map(change).unwrap_or_default(),
        ]
    });
    output::table(
        &["next runs", "UTC", ""],
        rows.collect(),
        "it has no further run",
    );
}
