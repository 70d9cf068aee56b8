//! What the broker says about a server's settings.

use broker::{Admin, Severity};
use testkit::RedisServer;

use crate::support::open;

async fn finding(server: &RedisServer, subject: &str) -> (Severity, String) {
    let advice = open(server).await.diagnose().await.unwrap();
    let found = advice
        .into_iter()
        .find(|advice| advice.subject == subject)
        .unwrap();
    assert_eq!(
        found.severity == Severity::Fine,
        found.remedy.is_empty(),
        "{found:?}"
    );
    (found.severity, found.found + &found.remedy)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_well_kept_server_has_no_problem() {
    let server = RedisServer::builder()
        .appendonly()
        .maxmemory(1 << 30)
        .start();
    let advice = open(&server).await.diagnose().await.unwrap();
    assert!(advice.len() >= 9);
    assert!(
        advice
            .iter()
            .all(|advice| advice.severity == Severity::Fine),
        "{advice:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn dangerous_settings_are_problems() {
    let server = RedisServer::builder()
        .maxmemory(1 << 30)
        .config("maxmemory-policy", "allkeys-lru")
        .config("timeout", "60")
        .start();
    let (severity, text) = finding(&server, "maxmemory-policy").await;
    assert!(
        severity == Severity::Problem && text.contains("noeviction"),
        "{text}"
    );
    let (severity, text) = finding(&server, "persistence").await;
    assert!(
        severity == Severity::Problem && text.contains("appendonly"),
        "{text}"
    );
    let (severity, text) = finding(&server, "timeout").await;
    assert!(severity == Severity::Hint && text.contains("60"), "{text}");
    server.cli(&["REPLICAOF", "127.0.0.1", "1"]);
    let (severity, text) = finding(&server, "role").await;
    assert!(
        severity == Severity::Problem && text.contains("primary"),
        "{text}"
    );
}
