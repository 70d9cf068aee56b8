//! `celeriac schedule check`: questions as JSON lines, answers as JSON lines.

use std::io::{self, BufRead, Write};

use beat::Question;
use serde_json::{Value, json};
use service::Exit;

use crate::error::Error;

pub(super) const HELP: &str = r#"Example:
  echo '{"spec": "0 9 * * mon-fri", "last_run_at": "2026-11-20T09:00:00Z", "now": "2026-11-21T12:00:00Z"}' |
    celeriac schedule check
A question: {"spec": …, "tz": "UTC", "last_run_at": …, "now": …, "deadline": null}. spec has any form that
beat_schedule takes: a crontab line, {"minute": 0, "hour": 4}, seconds, {"market": "XNYS", "at": "close+30"} …
The answer: {"is_due": true, "next": 86400.0}, next in seconds from now and null when it never runs again.
A wrong line is answered {"error": …}; the exit code is then 1."#;
const WRITE: &str = "write to standard output";

/// Answers every line of standard input; a line that is no question is answered with an error, and the others go on.
pub(super) fn run() -> Result<Exit, Error> {
    let mut exit = Exit::Ok;
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let line = line.map_err(failed("read standard input"))?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = answer(&line).unwrap_or_else(|error| {
            exit = Exit::Failure;
            json!({ "error": error })
        });
        writeln!(out, "{answer}").map_err(failed(WRITE))?;
    }
    out.flush().map_err(failed(WRITE))?;
    Ok(exit)
}

fn failed(what: &str) -> impl Fn(io::Error) -> Error {
    move |source| Error::Io {
        what: format!("cannot {what}"),
        source,
    }
}

fn answer(line: &str) -> Result<Value, String> {
    let question: Question = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let due = question.answer().map_err(|error| error.to_string())?;
    Ok(json!({
        "is_due": due.is_some_and(|due| due.is_due),
        "next": due.and_then(|due| due.next).map(|next| next.as_secs_f64()),
    }))
}
