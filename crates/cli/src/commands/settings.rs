//! `celeriac settings`.

use protocol::{Map, Value};
use serde::Serialize;
use service::Exit;
use service::settings::{Entry, Origin, Support};

use crate::context::Context;
use crate::error::Error;
use crate::output;

/// Show the settings in force and where each came from; secrets masked
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac settings                 what differs from the defaults
  celeriac settings --all           everything, also what has no effect
  celeriac settings task_           whose name contains task_
  celeriac settings --json | jq '.[] | select(.source != \"default\")'")]
pub(crate) struct Args {
    /// Only names that contain this
    #[arg(default_value = "")]
    name: String,
    /// Also those that nobody set
    #[arg(short, long)]
    all: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    value: Value,
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<&'static str>,
}

impl Row {
    fn new(entry: &Entry) -> Self {
        let ignored = match entry.setting.support {
            Support::Used => None,
            Support::Ignored(why) => Some(why),
        };
        let source = entry.origin.to_string();
        Self {
            name: entry.setting.name,
            value: entry.shown(),
            source,
            ignored,
        }
    }

    fn cells(&self) -> Vec<String> {
        let note = self
            .ignored
            .map(|why| format!("no effect: {why}"))
            .unwrap_or_default();
        vec![
            self.name.to_owned(),
            value_text(&self.value),
            self.source.clone(),
            note,
        ]
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let everything = args.all || context.json || !args.name.is_empty();
    let chosen = |entry: &&Entry| {
        entry.setting.name.contains(&args.name) && (everything || entry.origin != Origin::Default)
    };
    let rows: Vec<_> = context
        .settings
        .entries()
        .iter()
        .filter(chosen)
        .map(Row::new)
        .collect();
    if context.json {
        output::json(&rows);
    } else {
        let cells = rows.iter().map(Row::cells).collect();
        let nothing = if args.name.is_empty() {
            "all settings have their defaults (--all shows them)".to_owned()
        } else {
            format!("no setting's name contains {}", args.name)
        };
        output::table(&["setting", "value", "source", "note"], cells, &nothing);
    }
    Ok(Exit::Ok)
}

/// A table's entries one below the other, those of tables within it by their whole path; what has no value is said.
fn value_text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Map(map) if !map.is_empty() => {
            let mut lines = Vec::new();
            flatten("", map, &mut lines);
            lines.join("\n")
        }
        other => output::text(other),
    }
}

fn flatten(path: &str, map: &Map, lines: &mut Vec<String>) {
    for (key, value) in map {
        let path = format!("{path}{key}");
        match value {
            Value::Map(inner) if !inner.is_empty() => flatten(&format!("{path}."), inner, lines),
            other => lines.push(format!("{path} = {}", output::text(other))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_within_tables_are_shown_by_their_path() {
        let inner = Map::from_iter([("queue", "q")]);
        let routes = Map::from_iter([("proj.*", Value::Map(inner)), ("x", Value::from(1_i64))]);
        assert_eq!(value_text(&Value::Map(routes)), "proj.*.queue = q\nx = 1");
    }
}
