//! Every case of the validation oracle, and rules that it does not reach.

use protocol::{Map, Value, to_value};
use serde_json::{Value as Json, json};
use tasks::arguments::ArgumentError;
use tasks::{App, bind_spec, catalogue};
use worker::Arguments;

use crate::fixtures;

fn bind(task: &str, args: Json, kwargs: Json) -> Result<Map, ArgumentError> {
    let data = tempfile::tempdir().unwrap();
    let (Value::List(args), Value::Map(kwargs)) =
        (to_value(&args).unwrap(), to_value(&kwargs).unwrap())
    else {
        panic!("a call has a list and a map")
    };
    let spec = catalogue::named(task).unwrap_or_else(|| panic!("{task} is not in the catalogue"));
    bind_spec(spec, &App::new(data.path()), Arguments { args, kwargs })
}

/// The outcome in the oracle's words.
fn outcome(bound: Result<Map, ArgumentError>) -> Json {
    match bound {
        Ok(bound) => json!({"ok": bound}),
        Err(error) => json!({"error": {"code": error.code.as_str(), "field": error.field}}),
    }
}

#[test]
fn validation_oracles() {
    let family: Json = serde_json::from_str(&fixtures::oracle("validation.json")).unwrap();
    let cases = family["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    let mut wrong = Vec::new();
    for case in cases {
        let input = &case["input"];
        let bound = bind(
            input["task"].as_str().unwrap(),
            input["args"].clone(),
            input["kwargs"].clone(),
        );
        let found = outcome(bound);
        if found != case["expected"] {
            wrong.push(format!(
                "{}: {found}, expected {}",
                case["id"], case["expected"]
            ));
        }
    }
    println!("oracle validation.json in memory: {} cases", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The error's text for one call of a task.
fn refused(task: &str, kwargs: Json) -> String {
    bind(task, json!([]), kwargs).unwrap_err().to_string()
}

#[test]
fn errors_name_code_field_value_and_rule() {
    let logs = "finflow.core.tasks.cleanup_old_logs";
    assert_eq!(
        refused(logs, json!({"days": 3651})),
        "invalid_argument: days = 3651: must be from 1 to 3650"
    );
    assert_eq!(
        refused(
            "calculate_portfolio_performance",
            json!({"user_id": 1, "rolling": [5, "x"]})
        ),
        "invalid_argument: rolling[1] = 'x': must be an integer"
    );
    assert_eq!(
        refused("fetch_asset_info", json!({})),
        "missing_argument: symbol is required and was not given"
    );
    assert_eq!(
        refused(
            "apps.main.tasks.generate_reports",
            json!({"start": "2024-01-02T00:00:00+01:00", "end": "2024-01-01T22:00:00Z"})
        ),
        "invalid_argument: start = 2024-01-01T23:00:00Z to 2024-01-01T22:00:00Z: start must not be after end"
    );
}

#[test]
fn what_is_odd_is_refused() {
    let odd = [
        ("finflow.core.tasks.test_sleep", json!({"seconds": true})),
        ("finflow.core.tasks.test_sleep", json!({"seconds": -0.5})),
        (
            "finflow.core.tasks.test_task",
            json!({"x": 9_223_372_036_854_775_808_u64}),
        ),
        ("finflow.core.tasks.test_task", json!({"x": null})),
        (
            "create_portfolio_snapshot",
            json!({"snapshot_date": "20240229"}),
        ),
        (
            "create_portfolio_snapshot",
            json!({"snapshot_date": "2023-02-29"}),
        ),
        (
            "create_portfolio_snapshot",
            json!({"snapshot_date": 20240229}),
        ),
        ("fetch_market_data", json!({"symbols": [" "]})),
        ("fetch_market_data", json!({"symbols": ["AAPL", null]})),
        ("fetch_market_data", json!({"symbols": ["A".repeat(21)]})),
        (
            "apps.main.tasks.process_user_action",
            json!({"user_id": 1, "action": "click", "payload": {"x": "y".repeat(70_000)}}),
        ),
        (
            "apps.main.tasks.process_user_action",
            json!({"user_id": 1, "action": "click", "occurred_at": "yesterday"}),
        ),
        (
            "app.tasks.reconciliation.reconcile_account",
            json!({"user_id": 1, "account_id": 1, "tolerances": {"amount_abs": "NaN"}}),
        ),
        (
            "app.tasks.reconciliation.reconcile_account",
            json!({"user_id": 1, "account_id": 1, "tolerances": {"date_days": 1.5}}),
        ),
        (
            "apps.main.tasks.backup_data",
            json!({"destination": "a\u{0}b"}),
        ),
        ("apps.main.tasks.backup_data", json!({"destination": ""})),
        ("app.tasks.process_data", json!({"data": "text"})),
    ];
    for (task, kwargs) in odd {
        let text = refused(task, kwargs.clone());
        assert!(
            text.starts_with("invalid_argument: "),
            "{task} {kwargs}: {text}"
        );
    }
    let inner = refused(
        "app.tasks.reconciliation.reconcile_account",
        json!({"user_id": 1, "account_id": 1, "tolerances": {"colour": 1}}),
    );
    assert!(
        inner.starts_with("unexpected_argument: tolerances.colour"),
        "{inner}"
    );
}

#[test]
fn values_are_normalised() {
    let bound =
        |task, kwargs| serde_json::to_value(bind(task, json!([]), kwargs).unwrap()).unwrap();
    let action = bound(
        "apps.main.tasks.process_user_action",
        json!({"user_id": 1, "action": "login", "occurred_at": "2024-02-29 12:00:00+01:00"}),
    );
    assert_eq!(action["occurred_at"], "2024-02-29T11:00:00Z");
    assert_eq!(action["payload"], json!({}));
    let tolerances = bound(
        "app.tasks.reconciliation.reconcile_account",
        json!({"user_id": 1, "account_id": 2, "tolerances": {"amount_abs": 0.05, "date_days": 0}}),
    );
    assert_eq!(
        tolerances["tolerances"],
        json!({"amount_abs": "0.05", "date_days": 0})
    );
    let backup = bound(
        "apps.main.tasks.backup_data",
        json!({"destination": "weekly/1"}),
    );
    let path = backup["destination"].as_str().unwrap();
    assert!(path.ends_with("/backups/weekly/1"), "{path}");
}
