//! What a system holds when its scenes have been played: rows, files, results, and what people got.

use std::collections::BTreeMap;

use serde_json::Value;

use super::stage::{Stage, hook, sender};
use crate::back_office::system::System;

/// Fields of results that tell how long something took, or what time it was; a backup holds times.
const TIMES: [&str; 6] = [
    "duration_ms",
    "latency_ms",
    "detail",
    "time",
    "bytes",
    "sha256",
];
/// Results that are others after a kill, rightly: two measure the runs before them, the others count what they did themselves.
const ITS_OWN: [&str; 7] = [
    "apps.main.tasks.update_analytics",
    "fetch_market_data",
    "app.tasks.reconciliation.sync_market_data",
    "weekly_portfolio_maintenance",
    "dashboard.tasks.performance_analysis",
    "apps.main.tasks.cleanup_temp_files",
    "finflow.core.tasks.cleanup_old_logs",
];

#[derive(Debug)]
pub struct Evidence {
    /// By table, folder or channel.
    found: BTreeMap<String, Vec<String>>,
}

impl Evidence {
    pub fn of(stage: &Stage, system: &System, name: &str, results: Vec<(&str, Value)>) -> Self {
        let mut found = BTreeMap::new();
        for (table, rows) in system.state().as_object().unwrap() {
            let rows = rows.as_array().unwrap().iter().map(Value::to_string);
            found.insert(table.clone(), rows.collect());
        }
        let compared = results
            .into_iter()
            .filter(|(task, _)| !ITS_OWN.contains(task));
        for (task, mut result) in compared {
            forget_times(&mut result);
            let text = result
                .to_string()
                .replace(system.folder.path().to_str().unwrap(), "");
            found.insert(format!("result of {task}"), vec![text]);
        }
        found.insert("mails".to_owned(), mails(stage, name));
        found.insert("webhooks".to_owned(), posts(stage, name));
        Self { found }
    }

    /// What only one of the two has.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let (ours, theirs) = (self.lines(), other.lines());
        let only =
            |mark: &str, these: &BTreeMap<String, usize>, those: &BTreeMap<String, usize>| {
                let more = these
                    .iter()
                    .filter(|(line, count)| those.get(*line) < Some(*count));
                more.map(|(line, _)| format!("{mark} {line}"))
                    .collect::<Vec<_>>()
            };
        [
            only("undisturbed:", &ours, &theirs),
            only("killed:", &theirs, &ours),
        ]
        .concat()
    }

    /// Every row, file, result and message as a line of its own, and how often it is there.
    fn lines(&self) -> BTreeMap<String, usize> {
        let mut lines = BTreeMap::new();
        for (place, items) in &self.found {
            for item in items {
                *lines.entry(format!("{place}: {item}")).or_default() += 1;
            }
        }
        lines
    }
}

fn forget_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let is_backup = |value: &Value| {
                value
                    .as_str()
                    .is_some_and(|path| path.contains("/backups/"))
            };
            fields.retain(|name, value| !TIMES.contains(&name.as_str()) && !is_backup(value));
            fields.values_mut().for_each(forget_times);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_times),
        _ => {}
    }
}

/// To whom and what, in no order; a mail that came twice is there twice.
fn mails(stage: &Stage, name: &str) -> Vec<String> {
    let mails = stage.mail.mails();
    let ours = mails
        .iter()
        .filter(|mail| mail.content["from"] == sender(name));
    let mut told: Vec<String> = ours
        .map(|mail| {
            format!(
                "{}: {} {}",
                mail.to, mail.content["subject"], mail.content["text"]
            )
        })
        .collect();
    told.sort();
    told
}

fn posts(stage: &Stage, name: &str) -> Vec<String> {
    let posts = stage.web.posts();
    let ours = posts.iter().filter(|post| post.path == hook(name));
    let mut told: Vec<String> = ours
        .map(|post| {
            let body: Value = serde_json::from_slice(&post.body).unwrap();
            format!(
                "{}: {} {}",
                body["user_id"], body["subject"], body["message"]
            )
        })
        .collect();
    told.sort();
    told
}
