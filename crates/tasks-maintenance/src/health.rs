//! `finflow.core.tasks.health_check`: looks at everything the system stands on. It never fails because of what it finds.

mod backends;
mod data;
mod machine;
mod probe;

use std::collections::BTreeMap;

use futures_util::future::join_all;
use portfolio::analytics::Envelope;
use serde::{Deserialize, Serialize};
use tasks::{App, Run, app, invalid};
use tracing::{error, warn};
use worker::{Context, Outcome, RetryPolicy, Task, TaskOptions};

use probe::Probe;

/// After this many unhealthy reports in a row the log says so as an error.
const ALARM_AFTER: usize = 3;

/// Looks at the system.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// Only these checks.
    #[serde(default)]
    pub checks: Option<Vec<String>>,
}

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// As it should be.
    Healthy,
    /// Works, but not for long or not well.
    Degraded,
    /// Does not work.
    Unhealthy,
}

impl CheckStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// One check's outcome.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Check {
    /// How well it is.
    pub status: CheckStatus,
    /// How long looking took.
    pub latency_ms: f64,
    /// What was seen.
    pub detail: String,
}

/// All checks, and the worst of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HealthReport {
    /// The worst status.
    pub status: CheckStatus,
    /// By name.
    pub checks: BTreeMap<String, Check>,
}

impl Task for HealthCheck {
    const NAME: &'static str = "finflow.core.tasks.health_check";
    type Output = Envelope<HealthReport>;

    fn options() -> TaskOptions {
        TaskOptions {
            queue: Some("monitoring".to_owned()),
            time_limit: Some(30.0),
            soft_time_limit: Some(20.0),
            expires: Some(60.0),
            retry: RetryPolicy {
                max_retries: Some(0),
                ..RetryPolicy::default()
            },
            ..TaskOptions::default()
        }
    }

    async fn run(self, ctx: &Context) -> Result<Self::Output, Outcome> {
        let probes = self.probes()?;
        let run = Run::start(ctx);
        let checks = join_all(
            probes
                .into_iter()
                .map(|probe| async move { (probe.name().to_owned(), probe.look(ctx).await) }),
        );
        let checks: BTreeMap<String, Check> = checks.await.into_iter().collect();
        let status = checks
            .values()
            .map(|check| check.status)
            .max()
            .unwrap_or(CheckStatus::Healthy);
        let report = HealthReport { status, checks };
        record(app(ctx)?, &report).await;
        Ok(run.end(report))
    }
}

impl HealthCheck {
    fn probes(&self) -> Result<Vec<Probe>, Outcome> {
        let Some(names) = &self.checks else {
            return Ok(Probe::ALL.to_vec());
        };
        names
            .iter()
            .map(|name| Probe::named(name).ok_or_else(|| unknown(name)))
            .collect()
    }
}

fn unknown(name: &str) -> Outcome {
    let names: Vec<&str> = Probe::ALL.iter().map(|probe| probe.name()).collect();
    invalid(
        "checks",
        name,
        &format!("must be one of {}", names.join(", ")),
    )
}

/// Remembers the report; where there is no database yet the log is all there is.
async fn record(app: &App, report: &HealthReport) {
    let Ok(store) = app.store().await else { return };
    let checks = serde_json::to_string(&report.checks).unwrap_or_default();
    let recent = store
        .add_health_sample(
            jiff::Timestamp::now(),
            report.status.as_str(),
            &checks,
            ALARM_AFTER,
        )
        .await;
    match recent {
        Ok(recent)
            if recent.len() == ALARM_AFTER && recent.iter().all(|status| status == "unhealthy") =>
        {
            error!(checks, "unhealthy {ALARM_AFTER} times in a row");
        }
        Ok(_) => {}
        Err(error) => warn!(%error, "the health sample is not stored"),
    }
}
