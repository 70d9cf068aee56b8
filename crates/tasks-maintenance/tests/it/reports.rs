//! `generate_reports`.

use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use portfolio::store::Store;
use serde_json::Value;

use crate::support::System;

const NAME: &str = "apps.main.tasks.generate_reports";

/// The report of the day before `end` as its file has it.
async fn report(system: &System, kind: &str, end: Timestamp) -> (Value, String) {
    let call = system.call(NAME).arg(kind).arg(Value::Null);
    let call = call.arg(end.to_string()).kwarg("formats", ["json", "csv"]);
    let result = system.run(call).await;
    assert_eq!(result["status"], "success", "{result}");
    let path = result["data"]["artifacts"][0]["path"].as_str().unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    (result, text)
}

async fn add_health_sample(store: &Store) {
    let checks = r#"{"broker": {"status": "degraded", "latency_ms": 12.0, "detail": ""}}"#;
    let sample = store.add_health_sample(Timestamp::now(), "degraded", checks, 1);
    sample.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_say_what_happened_and_are_made_once() {
    let system = System::start().await;
    let store = system.database("ada@example.com").await;
    add_health_sample(&store).await;
    let action = system.call("apps.main.tasks.process_user_action");
    system.run(action.arg(1).arg("page_view")).await;
    let end = Timestamp::now() + SignedDuration::from_secs(1);

    let (first, text) = report(&system, "system", end).await;
    assert!(text.contains("\"Degraded\": \"1\""), "{text}");
    assert_eq!(first["data"]["to"], end.to_string());
    assert_eq!(store.artefact_paths().await.unwrap().len(), 2);
    let (_, text) = report(&system, "performance", end).await;
    assert!(text.contains("process_user_action"), "{text}");
    let (first, text) = report(&system, "usage", end).await;
    assert!(text.contains("page_view"), "{text}");
    let (second, _) = report(&system, "usage", end).await;
    assert_eq!(second["data"], first["data"]);
    let (_, text) = report(&system, "reconciliation", end).await;
    assert!(text.contains("No account was compared"), "{text}");
}

/// Every kind, of a window in which something happened and of one in which nothing did.
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_is_valid_paper_and_the_same_each_time() {
    let system = System::start().await;
    let store = system.database("ada@example.com").await;
    add_health_sample(&store).await;
    let now = (Timestamp::now() + SignedDuration::from_secs(1)).to_string();
    for kind in ["system", "performance", "usage", "reconciliation"] {
        for end in [now.as_str(), "2001-01-01T00:00:00Z"] {
            let made = async || {
                let call = system.call(NAME).arg(kind).arg(Value::Null).arg(end);
                let result = system.run(call.kwarg("formats", ["pdf", "html"])).await;
                result["data"]["artifacts"].clone()
            };
            let first = made().await;
            let paper = first[0]["path"].as_str().unwrap();
            let checked = Command::new("qpdf").args(["--check", paper]).output();
            let checked = checked.expect("scripts/setup.sh installs qpdf");
            let said = String::from_utf8_lossy(&checked.stdout);
            assert!(checked.status.success(), "{kind} until {end}: {said}");
            // The runs of the first time are in the second's window.
            if kind != "system" && kind != "performance" {
                assert_eq!(made().await, first, "{kind} until {end}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_window_is_said_on_paper_too() {
    let system = System::start().await;
    system.database("ada@example.com").await;
    let end: Timestamp = "2001-01-01T00:00:00Z".parse().unwrap();
    let (_, text) = report(&system, "usage", end).await;
    assert!(text.contains("No user did anything."), "{text}");
    let call = system.call(NAME).kwarg("report_type", "performance");
    let call = call.kwarg("end", end.to_string());
    let result = system.run(call.kwarg("formats", ["pdf", "html"])).await;
    let path = result["data"]["artifacts"][0]["path"].as_str().unwrap();
    assert!(std::fs::read(path).unwrap().starts_with(b"%PDF-1.7"));
    let late = system.call(NAME).kwarg("start", "2999-01-01T00:00:00Z");
    assert_eq!(system.fails(late).await.0, "InvalidArgument");
}
