//! What a person or a health check asks: the schedule with its runs, and whether a beat leads.

use std::collections::HashMap;

use broker::{Coordinator, Result};
use jiff::Timestamp;

use crate::adopt::adopted;
use crate::state::{HEARTBEAT, SPACE, decode, entry_key};
use crate::{Entry, EntryError, EntryState, Heartbeat, ScheduleFile, Slot};

/// One entry of the schedule with what is known of it.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The entry's name.
    pub name: String,
    /// The task; empty when the entry has a problem.
    pub task: String,
    /// The schedule as text; empty when the entry has a problem.
    pub schedule: String,
    /// The zone; empty when the entry has a problem.
    pub timezone: String,
    /// Whether it runs at all.
    pub enabled: bool,
    /// When it was last sent.
    pub last_run_at: Option<Timestamp>,
    /// How often it was sent.
    pub total_run_count: u64,
    /// How many slots passed without a run.
    pub missed: u64,
    /// The next runs, soonest first; none for a disabled entry. One that is late comes first.
    pub next: Vec<Timestamp>,
    /// The latest slots that were dealt with, oldest first.
    pub history: Vec<Slot>,
    /// What is wrong with it: why it does not run at all, or could not be sent when it was due last.
    pub problem: Option<String>,
}

/// The schedule's entries, each with its next `count` runs; soonest first, then those that do not run.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn rows(
    coordinator: &dyn Coordinator,
    schedule: &ScheduleFile,
    now: Timestamp,
    count: usize,
) -> Result<Vec<Row>> {
    let records: HashMap<_, _> = coordinator.load(SPACE).await?.into_iter().collect();
    let state = |entry: &Entry| {
        let key = entry_key(&entry.name);
        let state: Option<EntryState> = records.get(&key).and_then(|record| decode(&key, record));
        adopted(entry, state.as_ref(), now)
    };
    let good = schedule
        .entries
        .iter()
        .map(|entry| row(entry, state(entry), count));
    let mut rows: Vec<Row> = good
        .chain(schedule.problems.iter().map(problem_row))
        .collect();
    rows.sort_by_key(|row| (row.next.is_empty(), row.next.first().copied()));
    Ok(rows)
}

/// The leader's last sign of life; `None` when no beat has led yet.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn heartbeat(coordinator: &dyn Coordinator) -> Result<Option<Heartbeat>> {
    let mut found = coordinator.fetch(SPACE, &[HEARTBEAT.to_owned()]).await?;
    let record = found.pop().flatten();
    Ok(record.and_then(|record| decode(HEARTBEAT, &record)))
}

fn row(entry: &Entry, state: EntryState, count: usize) -> Row {
    let mut last = state.last_slot;
    let following = std::iter::from_fn(|| {
        last = entry.next_after(last)?;
        Some(last)
    });
    Row {
        name: entry.name.clone(),
        task: entry.task.to_string(),
        schedule: entry.timetable.schedule.to_string(),
        timezone: entry.timetable.zone_name.clone(),
        enabled: entry.enabled,
        last_run_at: state.last_run_at,
        total_run_count: state.total_run_count,
        missed: state.missed,
        next: if entry.enabled {
            following.take(count).collect()
        } else {
            Vec::new()
        },
        history: state.history,
        problem: state.problem,
    }
}

fn problem_row(problem: &EntryError) -> Row {
    let text = format!("field {}: {}", problem.field, problem.source);
    Row {
        name: problem.entry.clone(),
        problem: Some(text),
        ..Row::default()
    }
}
