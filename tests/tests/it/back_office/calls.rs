//! One line for each task: how it is called, and what kind of answer it gives.

use serde_json::{Map, Value};

/// A call of a task.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub task: &'static str,
    /// A JSON list.
    pub args: &'static str,
    /// A JSON object with the same arguments.
    pub kwargs: &'static str,
    pub expected: Expected,
}

/// What a call ends with.
#[derive(Clone, Copy, Debug)]
pub enum Expected {
    /// An envelope with the fields that the specification lists.
    Envelope,
    /// This JSON.
    Literal(&'static str),
    /// An exception of this type.
    Failure(&'static str),
}

impl Call {
    const fn new(task: &'static str, args: &'static str, kwargs: &'static str) -> Self {
        Self {
            task,
            args,
            kwargs,
            expected: Expected::Envelope,
        }
    }

    const fn gives(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }

    /// The call with positional arguments, and with keywords.
    pub fn both_ways(&self) -> [Self; 2] {
        let (positional, keyword) = (
            Self {
                kwargs: "{}",
                ..*self
            },
            Self {
                args: "[]",
                ..*self
            },
        );
        [positional, keyword]
    }

    pub fn json_args(&self) -> Vec<Value> {
        serde_json::from_str(self.args).expect("a list")
    }

    pub fn json_kwargs(&self) -> Map<String, Value> {
        serde_json::from_str(self.kwargs).expect("an object")
    }
}

/// Every task that exists, by system, and the other names of some.
pub const CALLS: &[Call] = &[
    Call::new(
        "finflow.core.tasks.refresh_portfolio_analytics",
        r#"[1, null, "2013-03-01", true]"#,
        r#"{"user_id": 1, "as_of": "2013-03-01", "full": true}"#,
    ),
    Call::new(
        "finflow.core.tasks.cleanup_old_logs",
        "[30]",
        r#"{"days": 30}"#,
    ),
    Call::new(
        "finflow.core.tasks.health_check",
        r#"[["broker", "database"]]"#,
        r#"{"checks": ["broker", "database"]}"#,
    ),
    Call::new(
        "finflow.core.tasks.test_task",
        "[3, 4]",
        r#"{"x": 3, "y": 4}"#,
    ),
    Call::new(
        "finflow.core.tasks.test_retry",
        "[1]",
        r#"{"fail_times": 1}"#,
    ),
    Call::new(
        "finflow.core.tasks.test_progress",
        "[3, 1]",
        r#"{"steps": 3, "delay_ms": 1}"#,
    ),
    Call::new(
        "finflow.core.tasks.test_failure",
        r#"["on purpose"]"#,
        r#"{"message": "on purpose"}"#,
    )
    .gives(Expected::Failure("ValueError")),
    Call::new(
        "finflow.core.tasks.test_sleep",
        "[0.01]",
        r#"{"seconds": 0.01}"#,
    ),
    // Days that a synchronisation fetches too: so the order of the two does not matter.
    Call::new(
        "fetch_market_data",
        r#"[["AAPL", "IBM"], "2013-02-25", "2013-03-01"]"#,
        r#"{"symbols": ["AAPL", "IBM"], "start": "2013-02-25", "end": "2013-03-01"}"#,
    ),
    Call::new(
        "update_portfolio_prices",
        r#"[[1], null, true]"#,
        r#"{"portfolio_ids": [1], "market_hours_only": true}"#,
    ),
    Call::new("fetch_asset_info", r#"["AAPL"]"#, r#"{"symbol": "AAPL"}"#),
    Call::new(
        "weekly_portfolio_maintenance",
        "[0, true]",
        r#"{"rebuild_days": 0, "dry_run": true}"#,
    ),
    Call::new(
        "app.tasks.reconciliation.sync_market_data",
        r#"[["AAPL"], false, false]"#,
        r#"{"symbols": ["AAPL"], "include_fx": false}"#,
    ),
    Call::new(
        "calculate_portfolio_performance",
        "[1, 30]",
        r#"{"user_id": 1, "days_back": 30}"#,
    ),
    Call::new(
        "create_portfolio_snapshot",
        r#"[1, null, "2013-03-01"]"#,
        r#"{"user_id": 1, "snapshot_date": "2013-03-01"}"#,
    ),
    Call::new(
        "app.tasks.reconciliation.reconcile_all_accounts",
        r#"["2013-03-01"]"#,
        r#"{"as_of": "2013-03-01"}"#,
    ),
    Call::new(
        "app.tasks.reconciliation.reconcile_account",
        "[1, 1]",
        r#"{"account_id": 1, "user_id": 1}"#,
    ),
    Call::new(
        "app.tasks.process_data",
        "[[1, 2, 3]]",
        r#"{"data": [1, 2, 3]}"#,
    )
    .gives(Expected::Literal(r#"{"processed":3,"status":"success"}"#)),
    Call::new(
        "apps.main.tasks.send_notification",
        r#"[1, "hello", "info", "greeting", ["in_app"], null, "hello-1"]"#,
        r#"{"user_id": 1, "message": "hello", "subject": "greeting", "channels": ["in_app"], "dedupe_key": "hello-1"}"#,
    ),
    Call::new(
        "dashboard.tasks.send_notification",
        r#"[2, "hello", "warning", null, ["in_app"], null, "hello-2"]"#,
        r#"{"user_id": 2, "message": "hello", "notification_type": "warning", "channels": ["in_app"], "dedupe_key": "hello-2"}"#,
    ),
    Call::new(
        "apps.main.tasks.process_user_action",
        r#"[1, "click", {"where": "chart"}, "2026-01-05T12:00:00Z", "click-1"]"#,
        r#"{"user_id": 1, "action": "click", "payload": {"where": "chart"}, "occurred_at": "2026-01-05T12:00:00Z", "action_id": "click-1"}"#,
    ),
    Call::new(
        "apps.main.tasks.backup_data",
        r#"["ledger", 2]"#,
        r#"{"scope": "ledger", "keep": 2}"#,
    ),
    Call::new(
        "apps.main.tasks.update_analytics",
        "[60]",
        r#"{"window_minutes": 60}"#,
    ),
    Call::new(
        "apps.main.tasks.cleanup_temp_files",
        "[24]",
        r#"{"max_age_hours": 24}"#,
    ),
    Call::new("apps.main.tasks.health_check", "[]", "{}"),
    Call::new(
        "dashboard.tasks.refresh_dashboard_cache",
        "[1]",
        r#"{"user_id": 1}"#,
    ),
    Call::new(
        "dashboard.tasks.warm_dashboard_cache",
        "[1, 3600]",
        r#"{"user_id": 1, "ttl_s": 3600}"#,
    ),
    Call::new(
        "dashboard.tasks.performance_analysis",
        "[6]",
        r#"{"window_hours": 6}"#,
    ),
    Call::new(
        "dashboard.tasks.cleanup_old_data",
        "[3650]",
        r#"{"days_old": 3650}"#,
    ),
    Call::new("dashboard.tasks.debug_task", "[]", "{}"),
    Call::new(
        "generate_portfolio_report",
        r#"[1, "income", "2012-01-01", "2013-03-01", ["pdf", "json"], 1, false]"#,
        r#"{"user_id": 1, "report_type": "income", "start": "2012-01-01", "end": "2013-03-01", "formats": ["html"]}"#,
    ),
    Call::new(
        "finflow.core.tasks.generate_portfolio_report",
        r#"[1, "reconciliation"]"#,
        r#"{"user_id": 1, "report_type": "reconciliation", "formats": ["csv"]}"#,
    ),
    Call::new(
        "dashboard.tasks.export_dashboard_data",
        r#"[1, "csv", {"start": "2012-01-01", "end": "2012-12-31"}]"#,
        r#"{"user_id": 1, "export_format": "csv", "date_range": {"start": "2012-01-01", "end": "2012-12-31"}}"#,
    ),
    Call::new(
        "apps.main.tasks.generate_reports",
        r#"["usage", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", ["json", "pdf"]]"#,
        r#"{"report_type": "usage", "start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z", "formats": ["csv"]}"#,
    ),
];
