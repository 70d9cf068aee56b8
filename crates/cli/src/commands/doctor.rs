//! `celeriac doctor`.

use broker::{Advice, Backends, Severity};
use serde::Serialize;
use service::Exit;

use crate::commands::Schedule;
use crate::context::Context;
use crate::error::Error;
use crate::output;
use crate::services::Services;

/// Look at settings and server, and say what to change
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac doctor
  celeriac doctor --broker redis://localhost/0 --json
Exit code 1 when tasks can be lost or stuck as things are, 69 when the broker
cannot be reached.")]
pub(crate) struct Args {}

#[derive(Debug, Serialize)]
struct Finding {
    subject: String,
    severity: &'static str,
    found: String,
    remedy: String,
}

impl From<Advice> for Finding {
    fn from(advice: Advice) -> Self {
        let severity = match advice.severity {
            Severity::Fine => "fine",
            Severity::Hint => "hint",
            Severity::Problem => "PROBLEM",
        };
        Self {
            subject: advice.subject,
            severity,
            found: advice.found,
            remedy: advice.remedy,
        }
    }
}

pub(crate) async fn run(_: Args, context: &Context) -> Result<Exit, Error> {
    let backends = context.backends().await?;
    let mut advice = settings(context);
    advice.extend(schedule(context, &backends).await?);
    advice.push(connection(&backends).await?);
    advice.push(results(&backends));
    advice.push(workers(&backends).await?);
    advice.extend(backends.admin.diagnose().await?);
    let problem = advice
        .iter()
        .any(|advice| advice.severity == Severity::Problem);
    show(advice, context.json);
    Ok(if problem { Exit::Failure } else { Exit::Ok })
}

fn settings(context: &Context) -> Vec<Advice> {
    let ignored = context.settings.ignored().map(|(entry, why)| Advice {
        subject: entry.setting.name.to_owned(),
        severity: Severity::Hint,
        found: format!("set by {}, and has no effect", entry.origin),
        remedy: why.to_owned(),
    });
    ignored.chain(wrong_settings(context)).collect()
}

/// What only its user would find wrong: the routes, the services, the entries of the schedule.
fn wrong_settings(context: &Context) -> Vec<Advice> {
    let settings = &context.settings;
    let routes = settings.client_options().err().map(Error::from);
    let services = Services::read(settings).err();
    let wrong = [routes, services].into_iter().flatten();
    let advice = wrong.map(|error| problem("settings", service::error_text(&error)));
    advice.collect()
}

async fn schedule(context: &Context, backends: &Backends) -> Result<Vec<Advice>, Error> {
    let schedule = Schedule::read(context, backends.clone()).await?;
    let wrong = schedule.rows(1).await?.into_iter().filter_map(|entry| {
        let why = entry.problem?;
        Some(problem("beat_schedule", format!("{}: {why}", entry.name)))
    });
    Ok(wrong.collect())
}

async fn connection(backends: &Backends) -> Result<Advice, Error> {
    let took = backends.admin.ping().await?;
    Ok(fine("connection", format!("a round trip takes {took:.1?}")))
}

fn results(backends: &Backends) -> Advice {
    if backends.results.is_some() {
        let fused = backends.broker.capabilities().results_with_settlement;
        let how = if fused {
            "stored in one step with the acknowledgement"
        } else {
            "on a server of their own"
        };
        return fine("result_backend", how.to_owned());
    }
    Advice {
        subject: "result_backend".to_owned(),
        severity: Severity::Hint,
        found: "not set: results are not kept".to_owned(),
        remedy: "set result_backend, if callers wait for results".to_owned(),
    }
}

async fn workers(backends: &Backends) -> Result<Advice, Error> {
    let workers = backends.admin.workers().await?;
    if !workers.is_empty() {
        return Ok(fine("workers", format!("{} with a lease", workers.len())));
    }
    Ok(Advice {
        subject: "workers".to_owned(),
        severity: Severity::Hint,
        found: "none has a lease".to_owned(),
        remedy: "start some: celeriac up, celeriac worker".to_owned(),
    })
}

fn problem(setting: &str, found: String) -> Advice {
    Advice {
        subject: setting.to_owned(),
        severity: Severity::Problem,
        found,
        remedy: "correct it; celeriac settings shows where it was set".to_owned(),
    }
}

fn fine(subject: &str, found: String) -> Advice {
    Advice {
        subject: subject.to_owned(),
        severity: Severity::Fine,
        found,
        remedy: String::new(),
    }
}

fn show(advice: Vec<Advice>, json: bool) {
    let findings: Vec<_> = advice.into_iter().map(Finding::from).collect();
    if json {
        return output::json(&findings);
    }
    let cells = |finding: Finding| {
        vec![
            finding.severity.to_owned(),
            finding.subject,
            finding.found,
            finding.remedy,
        ]
    };
    output::table(
        &["", "looked at", "found", "what to change"],
        findings.into_iter().map(cells).collect(),
        "",
    );
}
