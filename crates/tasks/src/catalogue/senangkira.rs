//! SenangKira's tasks; its notification is an alias of the site's.

use super::{Limits, Retry, Spec};
use crate::arguments::{Field, Preset};

/// From the first to the last day; either may be left out.
const DATE_RANGE: &[Field] = &[Field::date("start"), Field::date("end")];

/// Computes users' dashboards.
pub const REFRESH_DASHBOARD_CACHE: Spec = Spec {
    fields: &[Field::id("user_id")],
    ..Spec::normal("dashboard.tasks.refresh_dashboard_cache", "high_priority")
};

/// Computes the dashboards that are missing or nearly stale.
pub const WARM_DASHBOARD_CACHE: Spec = Spec {
    fields: &[
        Field::id("user_id"),
        Field::int("ttl_s").min(60).or(Preset::Int(93_600)),
    ],
    ..Spec::normal("dashboard.tasks.warm_dashboard_cache", "cache_operations")
};

/// How tasks and queues have done.
pub const PERFORMANCE_ANALYSIS: Spec = Spec {
    fields: &[Field::int("window_hours")
        .min(1)
        .max(720)
        .or(Preset::Int(6))],
    ..Spec::normal("dashboard.tasks.performance_analysis", "analytics")
};

/// A user's data as a file.
pub const EXPORT_DASHBOARD_DATA: Spec = Spec {
    fields: &[
        Field::id("user_id").required(),
        Field::choice("export_format", &["json", "csv", "pdf"]).or(Preset::Text("json")),
        Field::record("date_range", DATE_RANGE, true),
    ],
    ..Spec::normal("dashboard.tasks.export_dashboard_data", "low_priority")
};

/// Deletes old rows that nothing needs.
pub const CLEANUP_OLD_DATA: Spec = Spec {
    fields: &[
        Field::int("days_old")
            .min(1)
            .max(36_500)
            .or(Preset::Int(30)),
        Field::flag("dry_run"),
    ],
    ..Spec::normal("dashboard.tasks.cleanup_old_data", "low_priority")
};

/// Shows its own request.
pub const DEBUG_TASK: Spec = Spec {
    limits: Limits::SHORT,
    retry: Retry::NONE,
    ..Spec::normal("dashboard.tasks.debug_task", "default")
};

pub(super) const TASKS: &[Spec] = &[
    REFRESH_DASHBOARD_CACHE,
    WARM_DASHBOARD_CACHE,
    PERFORMANCE_ANALYSIS,
    EXPORT_DASHBOARD_DATA,
    CLEANUP_OLD_DATA,
    DEBUG_TASK,
];
