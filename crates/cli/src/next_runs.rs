//! The schedule as rows: entries, and what runs next.

use beat::Row;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::commands::Schedule;
use crate::error::Error;
use crate::output;

#[derive(Debug, Serialize)]
struct Run<'a> {
    at: Timestamp,
    entry: &'a str,
    task: &'a str,
    schedule: &'a str,
    timezone: &'a str,
}

/// Prints the next `count` runs of all entries together, soonest first.
pub(crate) async fn show(schedule: &Schedule, count: usize, json: bool) -> Result<(), Error> {
    let rows = schedule.rows(count).await?;
    let runs = soonest(&rows, count);
    if json {
        output::json(&runs);
    } else {
        print(&runs, &["at", "in", "entry", "schedule", "task"]);
    }
    Ok(())
}

/// Prints the next run of each entry, soonest first, at most `count`, narrow enough for every screen.
pub(crate) async fn show_each(schedule: &Schedule, count: usize) -> Result<(), Error> {
    let rows = schedule.rows(1).await?;
    print(&soonest(&rows, count), &["at", "in", "entry"]);
    Ok(())
}

/// Prints as many columns as there are headers.
fn print(runs: &[Run<'_>], headers: &[&str]) {
    let now = Timestamp::now();
    let cells = runs.iter().map(|run| {
        let mut cells = vec![
            local(run.at),
            wait(now, run.at),
            run.entry.to_owned(),
            run.schedule.to_owned(),
            run.task.to_owned(),
        ];
        cells.truncate(headers.len());
        cells
    });
    let nothing = "nothing is scheduled; see the setting beat_schedule";
    output::table(headers, cells.collect(), nothing);
}

fn soonest(rows: &[Row], count: usize) -> Vec<Run<'_>> {
    let all = rows.iter().flat_map(|row| {
        row.next.iter().map(|&at| Run {
            at,
            entry: &row.name,
            task: &row.task,
            schedule: &row.schedule,
            timezone: &row.timezone,
        })
    });
    let mut all: Vec<_> = all.collect();
    all.sort_by_key(|run| run.at);
    all.truncate(count);
    all
}

/// A time on this machine's wall clock.
pub(crate) fn local(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S %Z")
        .to_string()
}

/// How long until then, in whole seconds.
fn wait(now: Timestamp, at: Timestamp) -> String {
    let seconds = at.as_second() - now.as_second();
    match seconds {
        ..0 => "overdue".to_owned(),
        0 => "now".to_owned(),
        1..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {}m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, next: &[i64]) -> Row {
        Row {
            name: name.to_owned(),
            task: "t".to_owned(),
            schedule: String::new(),
            timezone: "UTC".to_owned(),
            enabled: true,
            last_run_at: None,
            total_run_count: 0,
            missed: 0,
            next: next
                .iter()
                .map(|&second| Timestamp::from_second(second).unwrap())
                .collect(),
            history: Vec::new(),
            problem: None,
        }
    }

    #[test]
    fn the_runs_of_all_entries_are_merged() {
        let rows = [row("a", &[10, 30]), row("b", &[20, 40]), row("c", &[])];
        let names: Vec<_> = soonest(&rows, 3).into_iter().map(|run| run.entry).collect();
        assert_eq!(names, ["a", "b", "a"]);
    }

    #[test]
    fn waits_are_for_people() {
        let now = Timestamp::UNIX_EPOCH;
        let text = |seconds| wait(now, Timestamp::from_second(seconds).unwrap());
        let texts = [-1, 0, 59, 61, 3_660, 90_000].map(text);
        let expected = ["overdue", "now", "59s", "1m 1s", "1h 1m", "1d 1h"];
        assert_eq!(texts, expected);
    }
}
