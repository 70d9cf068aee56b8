//! Events as lines: Celery's `celery events --dump`, or one JSON object a line.

use std::io::{self, Write};

use client::EventReceiver;
use jiff::Timestamp;
use protocol::{Event, Map, Value, saferepr};

use super::recent::Recent;

/// How many tasks' names are remembered; Celery's.
const NAMES: usize = 4_095;
/// Longest field on a line.
const LONGEST: usize = 1_024;

/// Writes events until the reader of the lines has gone or the broker was closed.
pub(crate) async fn dump(mut events: EventReceiver, json: bool) -> io::Result<()> {
    let mut dumper = Dumper::default();
    if !json {
        say("-> evdump: starting capture...")?;
    }
    while let Some(event) = events.next().await {
        say(&if json {
            json_line(&event)
        } else {
            dumper.line(event)
        })?;
    }
    Ok(())
}

/// Writes a line at once, so that it can be piped.
pub(super) fn say(line: &str) -> io::Result<()> {
    let mut screen = io::stdout().lock();
    writeln!(screen, "{line}")?;
    screen.flush()
}

fn json_line(event: &Event) -> String {
    serde_json::to_string(&event.to_map()).unwrap_or_else(|error| error.to_string())
}

/// Remembers what tasks are called: only their first events say it.
#[derive(Debug)]
struct Dumper {
    names: Recent<String>,
}

impl Default for Dumper {
    fn default() -> Self {
        let names = Recent::new(NAMES);
        Self { names }
    }
}

impl Dumper {
    fn line(&mut self, mut event: Event) -> String {
        let task = (event.group() == "task").then(|| self.task(&mut event));
        let head = format!(
            "{} [{}] {}",
            event.hostname,
            python_time(event.timestamp),
            human(&event.kind)
        );
        let fields = fields(&event);
        let colon = if fields.is_empty() { "" } else { ":" };
        match task {
            Some(task) => format!("{head}{colon} {task} {fields}"),
            None => format!("{head}{colon} {fields}"),
        }
    }

    /// The task's name, id and arguments as its first event told them.
    fn task(&mut self, event: &mut Event) -> String {
        let id = take(&mut event.fields, "uuid");
        if !matches!(event.kind.as_str(), "task-received" | "task-sent") {
            return self.names.get(&id).cloned().unwrap_or_default();
        }
        let [name, args, kwargs] =
            ["name", "args", "kwargs"].map(|field| take(&mut event.fields, field));
        let text = format!("{name}({id}) args={args} kwargs={kwargs}");
        self.names.touch(&id, String::new).clone_from(&text);
        text
    }
}

fn take(fields: &mut Map, name: &str) -> String {
    let value = fields.remove(name).unwrap_or_default();
    python_text(&value)
}

/// All other fields in alphabetical order, as Python prints them.
fn fields(event: &Event) -> String {
    let mut map = event.to_map();
    for known in ["hostname", "timestamp", "type"] {
        map.remove(known);
    }
    let mut fields: Vec<_> = map.iter().collect();
    fields.sort_by_key(|(name, _)| *name);
    let fields = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", python_text(value)));
    fields.collect::<Vec<_>>().join(", ")
}

fn python_text(value: &Value) -> String {
    match value {
        Value::Str(text) => text.clone(),
        other => saferepr(other, LONGEST, 0),
    }
}

fn human(kind: &str) -> String {
    match kind {
        "worker-offline" => "shutdown".to_owned(),
        "worker-online" => "started".to_owned(),
        "worker-heartbeat" => "heartbeat".to_owned(),
        other => other.to_lowercase().replace('-', " "),
    }
}

/// A time as Python's `datetime` prints it.
fn python_time(seconds: f64) -> String {
    let micros = (seconds * 1e6).round() as i64;
    let time = Timestamp::from_microsecond(micros).unwrap_or_default();
    let format = if micros % 1_000_000 == 0 {
        "%Y-%m-%d %H:%M:%S+00:00"
    } else {
        "%Y-%m-%d %H:%M:%S.%6f+00:00"
    };
    time.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, fields: &[(&str, Value)]) -> Event {
        Event {
            kind: kind.into(),
            timestamp: 1_795_164_116.25,
            hostname: "w1@test".into(),
            clock: Some(7),
            fields: Map::from_iter(fields.iter().cloned()),
            ..Event::default()
        }
    }

    #[test]
    fn lines_are_celery_s() {
        let mut dumper = Dumper::default();
        let text = Value::from;
        let received = event(
            "task-received",
            &[
                ("uuid", text("a")),
                ("name", text("proj.add")),
                ("args", text("(2, 3)")),
                ("kwargs", text("{}")),
                ("eta", Value::Null),
            ],
        );
        assert_eq!(
            dumper.line(received),
            "w1@test [2026-11-20 08:41:56.250000+00:00] task received: \
             proj.add(a) args=(2, 3) kwargs={} clock=7, eta=None"
        );
        let started = event("task-started", &[("uuid", text("a"))]);
        assert!(
            dumper
                .line(started)
                .ends_with("task started: proj.add(a) args=(2, 3) kwargs={} clock=7")
        );
        let beat = event("worker-heartbeat", &[("active", Value::from(0_i64))]);
        assert!(dumper.line(beat).ends_with("heartbeat: active=0, clock=7"));
    }
}
