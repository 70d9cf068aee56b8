//! The checks by name, each within its own time.

use std::time::{Duration, Instant};

use worker::Context;

use super::{Check, CheckStatus, backends, data, machine};

/// How long one check may look.
const LIMIT: Duration = Duration::from_secs(3);

/// What a check saw.
pub(super) type Finding = (CheckStatus, String);

/// One check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Probe {
    Broker,
    ResultBackend,
    Database,
    Disk,
    Memory,
    Workers,
    Queues,
    Beat,
    Prices,
    Fx,
}

impl Probe {
    pub(super) const ALL: [Self; 10] = [
        Self::Broker,
        Self::ResultBackend,
        Self::Database,
        Self::Disk,
        Self::Memory,
        Self::Workers,
        Self::Queues,
        Self::Beat,
        Self::Prices,
        Self::Fx,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Broker => "broker",
            Self::ResultBackend => "result_backend",
            Self::Database => "database",
            Self::Disk => "disk",
            Self::Memory => "memory",
            Self::Workers => "workers",
            Self::Queues => "queues",
            Self::Beat => "beat",
            Self::Prices => "prices",
            Self::Fx => "fx",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|probe| probe.name() == name)
    }

    /// Looks, for at most three seconds.
    pub(super) async fn look(self, ctx: &Context) -> Check {
        let started = Instant::now();
        let looked = tokio::time::timeout(LIMIT, self.find(ctx)).await;
        let (status, detail) = looked.unwrap_or_else(|_| {
            (
                CheckStatus::Unhealthy,
                format!("no answer within {LIMIT:?}"),
            )
        });
        Check {
            status,
            latency_ms: started.elapsed().as_secs_f64() * 1_000.0,
            detail,
        }
    }

    async fn find(self, ctx: &Context) -> Finding {
        let found = match self {
            Self::Broker => backends::broker(ctx).await,
            Self::ResultBackend => backends::results(ctx).await,
            Self::Workers => backends::workers(ctx).await,
            Self::Queues => backends::queues(ctx).await,
            Self::Beat => backends::beat(ctx).await,
            Self::Database => data::database(ctx).await,
            Self::Prices => data::prices(ctx).await,
            Self::Fx => data::rates(ctx).await,
            Self::Disk => machine::disk(ctx),
            Self::Memory => machine::memory(),
        };
        found.unwrap_or_else(|error| (CheckStatus::Unhealthy, error.to_string()))
    }
}
