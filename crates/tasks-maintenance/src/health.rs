//! `finflow.core.tasks.health_check`: looks at everything the system stands on. It never fails because of what it finds.

mod alarm;
mod backends;
mod data;
mod machine;
mod probe;
mod waits;

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use tasks::catalogue::{HEALTH_CHECK, Spec};
use tasks::{Answer, FinanceTask, Run};
use tracing::warn;
use worker::Outcome;

use probe::Probe;

/// After this many unhealthy reports in a row the administrator is told.
const ALARM_AFTER: usize = 3;

/// Looks at the system.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct HealthCheck {
    /// Only these checks.
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

impl FinanceTask for HealthCheck {
    const SPEC: Spec = HEALTH_CHECK;
    type Data = HealthReport;

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<HealthReport>, Outcome> {
        let ctx = run.ctx();
        let checks = join_all(
            self.probes()
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
        record(run, &report).await;
        Ok(Answer::Done(report))
    }
}

impl HealthCheck {
    fn probes(&self) -> Vec<Probe> {
        match &self.checks {
            None => Probe::ALL.to_vec(),
            Some(names) => names.iter().filter_map(|name| Probe::named(name)).collect(),
        }
    }
}

/// Remembers the report and tells the administrator when it is not the first bad one; where there is no database yet the log is
/// all there is.
async fn record(run: &Run<'_>, report: &HealthReport) {
    let Ok(store) = run.store().await else {
        warn!(
            status = report.status.as_str(),
            "the health sample is not stored: there is no database"
        );
        return;
    };
    let checks = serde_json::to_string(&report.checks).unwrap_or_default();
    let now = jiff::Timestamp::now();
    let added = store.add_health_sample(now, report.status.as_str(), &checks, ALARM_AFTER);
    match added.await {
        Ok(recent) => {
            let unhealthy = recent
                .iter()
                .filter(|status| *status == "unhealthy")
                .count();
            if unhealthy == ALARM_AFTER {
                alarm::raise(run.ctx(), store, report).await;
            }
        }
        Err(error) => warn!(%error, "the health sample is not stored"),
    }
}
