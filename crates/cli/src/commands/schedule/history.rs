//! `celeriac schedule history`: what became of an entry's latest slots.

use beat::{Entry, Skipped, Slot};
use jiff::Timestamp;
use serde::Serialize;
use service::Exit;

use super::entries::Schedule;
use crate::context::Context;
use crate::error::Error;
use crate::next_runs::local;
use crate::output;

#[derive(Debug, Serialize)]
struct Past {
    slot: Timestamp,
    at: Timestamp,
    by: String,
    /// Seconds after the slot, jitter included.
    lateness: f64,
    skipped: Option<Skipped>,
    task_id: Option<String>,
    outcome: Option<String>,
}

pub(super) async fn run(name: &str, context: &Context) -> Result<Exit, Error> {
    let schedule = Schedule::open(context).await?;
    let entry = schedule.entry(name)?;
    let rows = schedule.rows(0).await?;
    let history = rows.into_iter().find(|row| row.name == name);
    let mut past: Vec<Past> = history
        .into_iter()
        .flat_map(|row| row.history)
        .map(|slot| of(entry, slot))
        .collect();
    look_up(&mut past, &schedule).await?;
    if context.json {
        output::json(&past);
    } else {
        let headers = ["due", "sent", "late", "by", "task id", "outcome"];
        output::table(
            &headers,
            past.iter().map(cells).collect(),
            "no slot has passed yet",
        );
    }
    Ok(Exit::Ok)
}

fn of(entry: &Entry, slot: Slot) -> Past {
    Past {
        lateness: slot.at.duration_since(slot.slot).as_secs_f64(),
        task_id: slot.skipped.is_none().then(|| entry.task_id(slot.slot)),
        slot: slot.slot,
        at: slot.at,
        by: slot.by,
        skipped: slot.skipped,
        outcome: None,
    }
}

/// Asks the result backend, if there is one, what became of the runs.
async fn look_up(past: &mut [Past], schedule: &Schedule) -> Result<(), Error> {
    let Some(results) = &schedule.backends.results else {
        return Ok(());
    };
    let sent: Vec<&mut Past> = past
        .iter_mut()
        .filter(|past| past.task_id.is_some())
        .collect();
    let ids: Vec<String> = sent
        .iter()
        .filter_map(|past| past.task_id.clone())
        .collect();
    for (past, meta) in sent.into_iter().zip(results.fetch(&ids).await?) {
        let pending = "no result".to_owned();
        past.outcome = Some(meta.map_or(pending, |meta| meta.status.to_string()));
    }
    Ok(())
}

fn cells(past: &Past) -> Vec<String> {
    let skipped = past.skipped.map(|why| match why {
        Skipped::Late => "skipped: too late".to_owned(),
        Skipped::Overlap => "skipped: the last run had not ended".to_owned(),
        Skipped::Unsendable => "skipped: it could not be sent".to_owned(),
    });
    vec![
        local(past.slot),
        match past.skipped {
            Some(_) => String::new(),
            None => local(past.at),
        },
        format!("{:.2} s", past.lateness),
        past.by.clone(),
        past.task_id.clone().unwrap_or_default(),
        skipped.or_else(|| past.outcome.clone()).unwrap_or_default(),
    ]
}
