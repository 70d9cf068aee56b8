//! finflow's tasks, and its test tasks.

use super::{Limits, Retry, Spec};
use crate::arguments::{Field, Kind, Place, Preset};

/// Figures of every portfolio.
pub const REFRESH_PORTFOLIO_ANALYTICS: Spec = Spec {
    fields: &[
        Field::id("user_id"),
        Field::ids("portfolio_ids").max(100_000),
        Field::past_date("as_of"),
        Field::flag("full"),
    ],
    ..Spec::normal(
        "finflow.core.tasks.refresh_portfolio_analytics",
        "analytics",
    )
};

/// Compresses and deletes logs.
pub const CLEANUP_OLD_LOGS: Spec = Spec {
    fields: &[
        Field::int("days").min(1).max(3_650).or(Preset::Int(30)),
        Field::path("log_dir", Place::Logs),
        Field::int("compress_after_days").min(1).or(Preset::Int(7)),
        Field::flag("dry_run"),
    ],
    ..Spec::normal("finflow.core.tasks.cleanup_old_logs", "maintenance")
};

/// What a health check can look at.
pub const CHECKS: &[&str] = &[
    "broker",
    "result_backend",
    "database",
    "disk",
    "memory",
    "workers",
    "queues",
    "beat",
    "prices",
    "fx",
];

/// Looks at everything the system stands on.
pub const HEALTH_CHECK: Spec = Spec {
    aliases: &["apps.main.tasks.health_check"],
    fields: &[Field::list("checks", &Kind::Choice(CHECKS))],
    limits: Limits::SHORT,
    retry: Retry::NONE,
    expires_s: Some(60),
    ..Spec::normal("finflow.core.tasks.health_check", "monitoring")
};

const fn trial(name: &'static str) -> Spec {
    Spec {
        limits: Limits::MINUTE,
        retry: Retry::NONE,
        ..Spec::normal(name, "default")
    }
}

/// A sum.
pub const TEST_TASK: Spec = Spec {
    fields: &[
        Field::int("x").or(Preset::Int(2)),
        Field::int("y").or(Preset::Int(2)),
    ],
    ..trial("finflow.core.tasks.test_task")
};

/// Fails some times, then succeeds.
pub const TEST_RETRY: Spec = Spec {
    fields: &[Field::int("fail_times").min(0).max(10).or(Preset::Int(2))],
    retry: Retry {
        max: 10,
        base_s: 1,
        cap_s: 10,
        jitter: false,
    },
    ..trial("finflow.core.tasks.test_retry")
};

/// Takes steps.
pub const TEST_PROGRESS: Spec = Spec {
    fields: &[
        Field::int("steps").min(1).max(10_000).or(Preset::Int(10)),
        Field::int("delay_ms")
            .min(0)
            .max(60_000)
            .or(Preset::Int(50)),
    ],
    ..trial("finflow.core.tasks.test_progress")
};

/// Fails.
pub const TEST_FAILURE: Spec = Spec {
    fields: &[Field::text("message").or(Preset::Text("boom"))],
    ..trial("finflow.core.tasks.test_failure")
};

/// Sleeps.
pub const TEST_SLEEP: Spec = Spec {
    fields: &[Field::number("seconds", 0.0, 3_600.0).or(Preset::Number(1.0))],
    ..trial("finflow.core.tasks.test_sleep")
};

pub(super) const TASKS: &[Spec] = &[
    REFRESH_PORTFOLIO_ANALYTICS,
    CLEANUP_OLD_LOGS,
    HEALTH_CHECK,
    TEST_TASK,
    TEST_RETRY,
    TEST_PROGRESS,
    TEST_FAILURE,
    TEST_SLEEP,
];
