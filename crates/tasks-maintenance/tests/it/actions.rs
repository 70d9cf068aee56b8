//! `process_user_action`.

use serde_json::json;

use crate::support::System;

const NAME: &str = "apps.main.tasks.process_user_action";

async fn ready(system: &System, queue: &str) -> u64 {
    let admin = &system.client.backends().admin;
    admin.depth(&[queue.to_owned()]).await.unwrap()[0].ready()
}

#[tokio::test]
async fn what_follows_is_sent_once_for_an_action() {
    let system = System::start().await;
    system.database("ada@example.com").await;
    let call = || {
        let call = system.call(NAME).arg(1).arg("report_requested");
        let payload = json!({"report_type": "tax", "user_id": 7, "colour": "red"});
        call.kwarg("payload", payload).kwarg("action_id", "a-1")
    };
    let first = system.run(call()).await;
    assert_eq!(first["status"], "success", "{first}");
    assert_eq!(first["data"]["outcome"], "followed_up");
    assert_eq!(
        first["data"]["followups"][0]["task"],
        "generate_portfolio_report"
    );
    assert_eq!(first["data"]["duplicate"], false);
    let second = system.run(call()).await;
    assert_eq!(second["data"]["duplicate"], true);
    assert_eq!(second["data"]["followups"], first["data"]["followups"]);
    assert_eq!(ready(&system, "low_priority").await, 1);
    let admin = &system.client.backends().admin;
    let raw = admin.peek("low_priority", 1).await.unwrap();
    let message: serde_json::Value = serde_json::from_slice(&raw[0]).unwrap();
    assert!(
        message["headers"]["kwargsrepr"]
            .as_str()
            .unwrap()
            .contains("'report_type': 'tax'"),
        "{message}"
    );
    assert!(
        message["headers"]["kwargsrepr"]
            .as_str()
            .unwrap()
            .contains("'user_id': 1"),
        "{message}"
    );
    assert!(!message.to_string().contains("red"), "{message}");
}

#[tokio::test]
async fn each_action_has_its_own_consequence() {
    let system = System::start().await;
    system.database("ada@example.com").await;
    let cases = [
        (
            "transaction_added",
            "finflow.core.tasks.refresh_portfolio_analytics",
        ),
        (
            "settings_changed",
            "dashboard.tasks.refresh_dashboard_cache",
        ),
        ("login", "dashboard.tasks.warm_dashboard_cache"),
        ("export_requested", "dashboard.tasks.export_dashboard_data"),
    ];
    for (action, task) in cases {
        let result = system.run(system.call(NAME).arg(1).arg(action)).await;
        assert_eq!(result["data"]["followups"][0]["task"], task, "{result}");
    }
    let result = system.run(system.call(NAME).arg(1).arg("page_view")).await;
    assert_eq!(result["data"]["outcome"], "stored");
    assert_eq!(result["data"]["followups"], json!([]));
}

#[tokio::test]
async fn an_action_belongs_to_one_user() {
    let system = System::start().await;
    system.database("ada@example.com").await;
    system.database("bruno@example.com").await;
    let call = |user: i64| {
        let call = system.call(NAME).arg(user).arg("click");
        call.kwarg("action_id", "same")
    };
    system.run(call(1)).await;
    assert_eq!(system.fails(call(2)).await.0, "Forbidden");
    assert_eq!(system.fails(call(3)).await.0, "NotFound");
}
