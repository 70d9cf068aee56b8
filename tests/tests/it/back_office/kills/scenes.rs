//! Every task, how it is called, and the moments in which its worker is killed.

/// A call and its kills, each of which is followed by the next run of the same message.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    pub task: &'static str,
    /// A JSON object.
    pub arguments: &'static str,
    pub kills: &'static [Moment],
}

/// When the worker is killed.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// In the transaction of its first change of this table.
    Changing(&'static str),
    /// Once its start is on record: for what takes a while.
    Running,
    /// Once there is a file with this ending in this folder.
    Wrote(&'static str, &'static str),
    /// When all is done except that its end is not on record and its message not acknowledged.
    Ending,
}

use Moment::{Changing, Ending, Running, Wrote};

const fn scene(task: &'static str, arguments: &'static str, kills: &'static [Moment]) -> Scene {
    Scene {
        task,
        arguments,
        kills,
    }
}

/// What plays in one pair of systems, in this order.
pub const LANES: [&[Scene]; 4] = [FIGURES, MARKET, TELLING, UPKEEP];

const FIGURES: &[Scene] = &[
    scene(
        "finflow.core.tasks.refresh_portfolio_analytics",
        r#"{"user_id": 1, "as_of": "2013-02-28", "full": true}"#,
        &[Changing("analytics"), Ending],
    ),
    scene(
        "calculate_portfolio_performance",
        r#"{"user_id": 1, "periods": ["1y"], "end": "2013-03-01"}"#,
        &[Changing("cache_entries")],
    ),
    scene(
        "create_portfolio_snapshot",
        r#"{"user_id": 1, "snapshot_date": "2013-03-01"}"#,
        &[Changing("snapshots"), Changing("snapshot_positions")],
    ),
    scene(
        "dashboard.tasks.refresh_dashboard_cache",
        r#"{"user_id": 1}"#,
        &[Changing("cache_entries")],
    ),
    scene(
        "dashboard.tasks.warm_dashboard_cache",
        r#"{"user_id": 2, "ttl_s": 3600}"#,
        &[Changing("cache_entries")],
    ),
    scene(
        "dashboard.tasks.performance_analysis",
        r#"{"window_hours": 6}"#,
        &[Ending],
    ),
    scene(
        "app.tasks.process_data",
        r#"{"data": [1, 2, 3]}"#,
        &[Ending],
    ),
    scene("dashboard.tasks.debug_task", "{}", &[Ending]),
];

const MARKET: &[Scene] = &[
    scene(
        "fetch_market_data",
        r#"{"symbols": ["AAPL", "IBM"], "start": "2013-02-25", "end": "2013-03-08"}"#,
        &[Changing("prices"), Ending],
    ),
    scene(
        "update_portfolio_prices",
        r#"{"portfolio_ids": [1]}"#,
        &[Changing("quotes")],
    ),
    scene(
        "fetch_asset_info",
        r#"{"symbol": "AAPL"}"#,
        &[Changing("assets")],
    ),
    scene(
        "app.tasks.reconciliation.sync_market_data",
        r#"{"symbols": ["GOOG"], "include_fx": true}"#,
        &[Changing("prices"), Changing("fx_rates")],
    ),
    scene(
        "weekly_portfolio_maintenance",
        r#"{"rebuild_days": 1}"#,
        &[Changing("snapshots")],
    ),
    scene(
        "finflow.core.tasks.test_sleep",
        r#"{"seconds": 1}"#,
        &[Running],
    ),
];

const TELLING: &[Scene] = &[
    scene(
        "apps.main.tasks.send_notification",
        r#"{"user_id": 1, "message": "hello", "subject": "greeting", "dedupe_key": "hello"}"#,
        &[
            Changing("notifications"),
            Changing("notification_deliveries"),
            Ending,
        ],
    ),
    scene(
        "app.tasks.reconciliation.reconcile_all_accounts",
        r#"{"as_of": "2013-03-01"}"#,
        &[Changing("statement_lines")],
    ),
    scene(
        "app.tasks.reconciliation.reconcile_account",
        r#"{"account_id": 3, "user_id": 2, "tolerances": {"amount_abs": "5"}}"#,
        &[Changing("reconciliation_breaks"), Ending],
    ),
    scene(
        "generate_portfolio_report",
        r#"{"user_id": 1, "end": "2013-03-01", "formats": ["pdf", "html"], "notify": true}"#,
        &[Changing("report_artifacts"), Ending],
    ),
    scene(
        "dashboard.tasks.export_dashboard_data",
        r#"{"user_id": 1, "export_format": "csv"}"#,
        &[Changing("report_artifacts")],
    ),
    scene(
        "apps.main.tasks.process_user_action",
        r#"{"user_id": 1, "action": "report_requested", "payload": {"report_type": "tax", "end": "2013-03-01"}, "occurred_at": "2026-01-05T12:00:00Z", "action_id": "report-1"}"#,
        &[Changing("user_actions"), Ending],
    ),
];

const UPKEEP: &[Scene] = &[
    scene(
        "apps.main.tasks.backup_data",
        r#"{"scope": "ledger"}"#,
        &[Changing("backups")],
    ),
    scene(
        "apps.main.tasks.cleanup_temp_files",
        r#"{"max_age_hours": 24}"#,
        &[Changing("cache_entries")],
    ),
    scene(
        "finflow.core.tasks.cleanup_old_logs",
        r#"{"days": 30}"#,
        &[Wrote("logs", "gz")],
    ),
    scene(
        "finflow.core.tasks.health_check",
        "{}",
        &[Changing("health_samples")],
    ),
    scene(
        "apps.main.tasks.generate_reports",
        r#"{"report_type": "usage", "start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z", "formats": ["json", "pdf"]}"#,
        &[Changing("report_artifacts")],
    ),
    scene(
        "dashboard.tasks.cleanup_old_data",
        r#"{"days_old": 30}"#,
        &[Changing("notifications")],
    ),
    scene(
        "apps.main.tasks.update_analytics",
        r#"{"window_minutes": 60}"#,
        &[Changing("metrics_5m")],
    ),
    scene(
        "finflow.core.tasks.test_task",
        r#"{"x": 3, "y": 4}"#,
        &[Ending],
    ),
    scene(
        "finflow.core.tasks.test_retry",
        r#"{"fail_times": 1}"#,
        &[Ending],
    ),
    scene(
        "finflow.core.tasks.test_progress",
        r#"{"steps": 10, "delay_ms": 100}"#,
        &[Running],
    ),
    scene(
        "finflow.core.tasks.test_failure",
        r#"{"message": "on purpose"}"#,
        &[Ending],
    ),
];
