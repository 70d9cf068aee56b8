//! Messages that nobody can read or run: parked with their reason, shown by the command line, and in nobody's way.

use std::time::Duration;

use testkit::{RedisServer, TempDir, wait_until};

use crate::drill::fleet::Fleet;
use crate::drill::journal::Journal;

const PATIENCE: Duration = Duration::from_secs(30);

/// An envelope with this body, content type and these headers.
fn envelope(content_type: &str, body: &str, headers: &str) -> String {
    format!(
        r#"{{"body": "{body}", "content-encoding": "utf-8", "content-type": "{content_type}", "headers": {headers},
        "properties": {{"delivery_tag": "t", "delivery_info": {{"exchange": "", "routing_key": "celery"}}}}}}"#
    )
}

const HEADERS: &str = r#"{"task": "drill.echo", "id": "poisoned"}"#;

/// Each bad message with a word of the reason that an operator must be shown.
fn poison() -> Vec<(String, &'static str)> {
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    vec![
        ("not json at all".to_owned(), "json"),
        ("{\"headers\": 3}".to_owned(), "headers"),
        ("{\"body\": \"x\"".to_owned(), "json"),
        (envelope("application/json", "[[", HEADERS), "body"),
        (
            envelope("application/json", &deep, HEADERS),
            "nested deeper",
        ),
        (
            envelope(
                "application/x-python-serialize",
                "gASVCgAAAAAAAAA=",
                HEADERS,
            ),
            "pickle",
        ),
        (
            envelope("application/x-strange", "x", HEADERS),
            "application/x-strange",
        ),
        (
            envelope(
                "application/json",
                "[[], {}, {}]",
                r#"{"task": 7, "id": "poisoned"}"#,
            ),
            "task",
        ),
        (
            envelope(
                "application/json",
                "[[], {}, {}]",
                r#"{"task": "drill.echo", "id": "poisoned", "eta": "soon"}"#,
            ),
            "eta",
        ),
        (
            envelope(
                "application/json",
                "[[1, 2], {\\\"a\\\": 1, \\\"a\\\": 2}, {}]",
                HEADERS,
            ),
            "same key",
        ),
        (
            envelope(
                "application/json",
                "[[], {}, {}]",
                r#"{"task": "drill.echo", "id": "poisoned", "compression": "application/x-snappy"}"#,
            ),
            "known are gzip, bzip2, lzma, brotli and zstd",
        ),
        (
            envelope(
                "application/json",
                "[[], {}, {}]",
                r#"{"task": "drill.nobody", "id": "unknown"}"#,
            ),
            "drill.nobody",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_bad_message_is_parked_with_its_reason() {
    let redis = RedisServer::start();
    let mut fleet = Fleet::new(redis.url(), TempDir::new().unwrap(), &[]);
    let poison = poison();
    for (message, _) in &poison {
        redis.cli(&["LPUSH", "celery", message]);
    }
    fleet.send(1, 0);
    fleet.start_worker();
    wait_until(PATIENCE, async || {
        Journal::read(&fleet.journal()).finished() == 1
    })
    .await;
    wait_until(PATIENCE, async || parked(&fleet).len() == poison.len()).await;

    let reasons = parked(&fleet);
    for (message, word) in &poison {
        let shown = reasons
            .iter()
            .any(|reason| reason.to_lowercase().contains(word));
        assert!(
            shown,
            "no reason names {word:?} for {:.80}: {reasons:#?}",
            message
        );
    }
    assert!(fleet.is_running(), "{}", fleet.output());
    fleet.stop().await;
    assert_eq!(
        redis.cli(&["EXISTS", "celery", "unacked"]).trim(),
        "0",
        "nothing is left behind"
    );
}

fn parked(fleet: &Fleet) -> Vec<String> {
    let output = fleet
        .command("celeriac")
        .args(["parked", "list", "--json"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let list = list.as_array().unwrap();
    list.iter()
        .map(|message| message["reason"].as_str().unwrap().to_owned())
        .collect()
}
