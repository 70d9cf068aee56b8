//! portfolio_site's tasks; its health check is an alias of finflow's.

use super::{Limits, Retry, Spec};
use crate::arguments::{Field, Kind, Place, Preset};

/// The ways to reach a user.
pub const CHANNELS: &[&str] = &["in_app", "email", "webhook", "push"];

/// What users do.
pub const ACTIONS: &[&str] = &[
    "login",
    "logout",
    "page_view",
    "search",
    "click",
    "portfolio_created",
    "portfolio_updated",
    "transaction_added",
    "transaction_imported",
    "report_requested",
    "export_requested",
    "settings_changed",
    "watchlist_added",
    "alert_created",
];

const fn site(name: &'static str, queue: &'static str) -> Spec {
    Spec {
        limits: Limits::SITE,
        ..Spec::normal(name, queue)
    }
}

/// Tells a user something.
pub const SEND_NOTIFICATION: Spec = Spec {
    aliases: &["dashboard.tasks.send_notification"],
    fields: &[
        Field::id("user_id").required(),
        Field::text("message").min(1).max(10_000).required(),
        Field::choice("notification_type", &["info", "warning", "alert"]).or(Preset::Text("info")),
        Field::text("subject").max(200),
        Field::list("channels", &Kind::Choice(CHANNELS)),
        Field::object("data"),
        Field::text("dedupe_key").max(200),
    ],
    ..site("apps.main.tasks.send_notification", "high_priority")
};

/// Stores what a user did and starts what follows from it.
pub const PROCESS_USER_ACTION: Spec = Spec {
    fields: &[
        Field::id("user_id").required(),
        Field::choice("action", ACTIONS).required(),
        Field::object("payload").max(65_536).or(Preset::Object),
        Field::timestamp("occurred_at"),
        Field::text("action_id").max(100),
    ],
    retry: Retry::times(2, 30),
    ..site("apps.main.tasks.process_user_action", "high_priority")
};

/// Counts users' actions and tasks' runs.
pub const UPDATE_ANALYTICS: Spec = Spec {
    fields: &[Field::int("window_minutes")
        .min(5)
        .max(10_080)
        .or(Preset::Int(5))],
    ..site("apps.main.tasks.update_analytics", "default")
};

/// Deletes temporary files and expired entries.
pub const CLEANUP_TEMP_FILES: Spec = Spec {
    fields: &[
        Field::int("max_age_hours").min(1).or(Preset::Int(24)),
        Field::path("temp_dir", Place::Temp),
        Field::flag("dry_run"),
    ],
    ..site("apps.main.tasks.cleanup_temp_files", "default")
};

/// Reports about the system.
pub const GENERATE_REPORTS: Spec = Spec {
    fields: &[
        Field::choice(
            "report_type",
            &["system", "performance", "usage", "reconciliation"],
        )
        .or(Preset::Text("system")),
        Field::timestamp("start"),
        Field::timestamp("end"),
        Field::list("formats", &Kind::Choice(&["json", "csv", "pdf", "html"]))
            .or(Preset::Texts(&["json"])),
    ],
    ordered: Some(("start", "end")),
    ..site("apps.main.tasks.generate_reports", "low_priority")
};

/// A backup that was restored once to be sure.
pub const BACKUP_DATA: Spec = Spec {
    fields: &[
        Field::choice("scope", &["full", "ledger", "market_data", "config"])
            .or(Preset::Text("full")),
        Field::int("keep").min(1).max(365).or(Preset::Int(14)),
        Field::path("destination", Place::Backups),
        Field::flag("compress").or(Preset::Bool(true)),
        Field::flag("verify").or(Preset::Bool(true)),
    ],
    limits: Limits::LONG,
    ..site("apps.main.tasks.backup_data", "low_priority")
};

pub(super) const TASKS: &[Spec] = &[
    SEND_NOTIFICATION,
    PROCESS_USER_ACTION,
    UPDATE_ANALYTICS,
    CLEANUP_TEMP_FILES,
    GENERATE_REPORTS,
    BACKUP_DATA,
];
