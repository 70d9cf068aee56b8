//! `send_notification`, with a real mail server.

use std::time::Duration;

use notify::{EmailSettings, Security, Settings};
use protocol::State;
use serde_json::json;
use testkit::{MailServer, wait_until};

use crate::support::System;

const NAME: &str = "apps.main.tasks.send_notification";
const DEADLINE: Duration = Duration::from_secs(30);

pub fn mail(server: &MailServer) -> Settings {
    Settings {
        email: Some(EmailSettings {
            host: "localhost".to_owned(),
            port: server.port(),
            security: Security::StartTls,
            login: Some(("user".to_owned(), "secret".to_owned())),
            from: "noreply@valuepartner.app".to_owned(),
            ca_file: Some(server.ca_file()),
            timeout: DEADLINE,
        }),
        ..Settings::default()
    }
}

#[tokio::test]
async fn a_user_is_told_as_preferred_and_once_for_a_key() {
    let server = MailServer::with_tls().await;
    let system = System::telling(&mail(&server), None).await;
    let store = system.database("ada@example.com").await;
    let quiet = system.run(system.call(NAME).arg(1).arg("Hello")).await;
    assert_eq!(
        quiet["data"]["deliveries"],
        json!([{"channel": "in_app", "status": "sent", "attempts": 1, "error": null}])
    );
    let preferences = json!({"channels": ["email", "in_app", "push"]});
    store
        .set_notification_preferences(1, &preferences)
        .await
        .unwrap();
    let call = || {
        let call = system
            .call("dashboard.tasks.send_notification")
            .kwarg("user_id", 1);
        call.kwarg("message", "Line one\nline two")
            .kwarg("dedupe_key", "k")
    };
    let first = system.run(call()).await;
    assert_eq!(first["status"], "success", "{first}");
    assert_eq!(first["task"], "dashboard.tasks.send_notification");
    assert_eq!(first["data"]["duplicate"], false);
    let second = system.run(call().kwarg("channels", ["webhook"])).await;
    assert_eq!(second["data"]["duplicate"], true);
    for result in [&first, &second] {
        let deliveries = result["data"]["deliveries"].as_array().unwrap();
        let statuses: Vec<_> = deliveries
            .iter()
            .map(|delivery| &delivery["status"])
            .collect();
        assert_eq!(statuses, ["sent", "sent", "skipped"], "{result}");
        assert_eq!(result["data"]["notification_id"], 2);
    }
    let mails = server.mails_when(1).await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(mails[0].content["subject"], "Line one");
    assert_eq!(mails[0].to, "ada@example.com");
}

#[tokio::test]
async fn a_refusal_makes_the_task_partial_and_says_why() {
    let server = MailServer::with_tls().await;
    let system = System::telling(&mail(&server), None).await;
    system.database("refused@example.com").await;
    let call = system.call(NAME).kwarg("user_id", 1).kwarg("message", "m");
    let result = system
        .run(call.kwarg("channels", ["email", "in_app"]))
        .await;
    assert_eq!(result["status"], "partial", "{result}");
    assert_eq!(result["errors"][0]["id"], "email");
    let reason = result["errors"][0]["message"].as_str().unwrap();
    assert!(reason.contains("no such mailbox"), "{reason}");
}

#[tokio::test]
async fn a_server_that_is_busy_or_hangs_leaves_the_channel_pending_and_the_task_to_be_tried_again()
{
    for address in ["busy@example.com", "hang@example.com"] {
        let server = MailServer::with_tls().await;
        let mut settings = mail(&server);
        settings.email.as_mut().unwrap().timeout = Duration::from_secs(3);
        let system = System::telling(&settings, None).await;
        let store = system.database(address).await;
        let call = system.call(NAME).kwarg("user_id", 1).kwarg("message", "m");
        let call = call.kwarg("channels", ["email", "in_app"]).task_id("late");
        let result = call.send().await.unwrap();
        wait_until(DEADLINE, async || {
            result.state().await.unwrap() == State::Retry
        })
        .await;
        let deliveries = store.deliveries(1).await.unwrap();
        let told = deliveries
            .iter()
            .map(|delivery| (delivery.status.as_str(), delivery.attempts));
        assert!(
            told.eq([("pending", 1), ("sent", 1)]),
            "{address}: {deliveries:?}"
        );
    }
}

#[tokio::test]
async fn arguments_and_users_are_checked_first() {
    let system = System::start().await;
    let store = system.database("ada@example.com").await;
    let cases = [
        (system.call(NAME).arg(9).arg("m"), "NotFound"),
        (system.call(NAME).arg(true).arg("m"), "InvalidArgument"),
        (system.call(NAME).arg(1).arg(""), "InvalidArgument"),
        (
            system
                .call(NAME)
                .arg(1)
                .arg("m")
                .kwarg("channels", ["pigeon"]),
            "InvalidArgument",
        ),
    ];
    for (call, expected) in cases {
        let (kind, text) = system.fails(call).await;
        assert_eq!(kind, expected, "{text}");
    }
    assert_eq!(store.deliveries(1).await.unwrap(), []);
}
