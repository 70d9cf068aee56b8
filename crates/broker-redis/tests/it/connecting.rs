//! Opening connections: TLS, credentials, databases, and what is said when it fails.

use std::time::Duration;

use broker::{Broker, ErrorKind};
use broker_redis::{RedisBroker, RedisOptions};
use testkit::{RedisServer, free_port};

use crate::support::{consumer, ids, open_url, options, take, to_queue};

async fn round_trip(url: &str) {
    let broker = open_url(url).await;
    broker.publish(vec![to_queue("q", "a")]).await.unwrap();
    let consumer = consumer(&broker, &["q"]).await;
    assert_eq!(ids(&take(&*consumer, 1).await), ["a"]);
}

async fn refusal(options: RedisOptions) -> (ErrorKind, String) {
    let error = RedisBroker::connect(options).await.unwrap_err();
    (error.kind(), error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_with_an_authority_of_its_own() {
    let server = RedisServer::builder().tls().start();
    round_trip(&server.url()).await;
    let unverified = format!("rediss://{}/0?ssl_cert_reqs=none", server.address());
    round_trip(&unverified).await;
    let named = server.url().replace("127.0.0.1", "localhost");
    round_trip(&named).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let server = RedisServer::builder().tls().start();
    let (kind, text) = refusal(options(&format!("rediss://{}/0", server.address()))).await;
    assert_eq!(kind, ErrorKind::Denied, "{text}");
    assert!(text.contains("ssl_ca_certs"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_ca_file_is_named() {
    let (kind, text) = refusal(options("rediss://localhost/0?ssl_ca_certs=/no/such.pem")).await;
    assert_eq!(kind, ErrorKind::NotFound);
    assert!(
        text.contains("/no/such.pem") && text.contains("ssl_ca_certs"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn acl_users_and_passwords() {
    let server = RedisServer::builder().acl_user("worker", "s3cret").start();
    round_trip(&server.url()).await;
    round_trip(&server.unix_url()).await;
    let wrong = server.url().replace("s3cret", "guess");
    let (kind, text) = refusal(options(&wrong)).await;
    assert_eq!(kind, ErrorKind::Denied, "{text}");
    assert!(
        text.contains("password") && !text.contains("guess"),
        "{text}"
    );
    let (kind, _) = refusal(options(&format!("redis://{}/0", server.address()))).await;
    assert_eq!(kind, ErrorKind::Denied);
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_are_apart() {
    let server = RedisServer::start();
    open_url(&server.url_db(3))
        .await
        .publish(vec![to_queue("q", "a")])
        .await
        .unwrap();
    assert_eq!(server.cli(&["-n", "3", "LLEN", "q"]), "1");
    assert_eq!(server.cli(&["-n", "0", "LLEN", "q"]), "0");
    let (kind, text) = refusal(options(&server.url_db(99))).await;
    assert_eq!(kind, ErrorKind::Invalid, "{text}");
    assert!(text.contains("databases"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there() {
    let (kind, text) = refusal(options(&format!("redis://127.0.0.1:{}", free_port()))).await;
    assert_eq!(kind, ErrorKind::Unreachable, "{text}");
    assert!(text.contains("running"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer() {
    let server = RedisServer::start();
    server.pause();
    let patient = RedisOptions {
        connect_timeout: Duration::from_millis(200),
        ..options(&server.url())
    };
    let (kind, text) = refusal(patient).await;
    server.resume();
    assert_eq!(kind, ErrorKind::Unreachable, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_key_carries_the_prefix() {
    let server = RedisServer::start();
    let given = serde_json::json!({"global_keyprefix": "app:"});
    let options = RedisOptions::parse(&server.url(), given.as_object().unwrap()).unwrap();
    let broker = RedisBroker::connect(options).await.unwrap();
    let consumer = consumer(&broker, &["q"]).await;
    broker
        .publish(vec![to_queue("q", "a"), to_queue("q", "b")])
        .await
        .unwrap();
    take(&*consumer, 2).await;
    let keys = server.cli(&["KEYS", "*"]);
    assert!(keys.lines().count() >= 5, "{keys}");
    assert!(keys.lines().all(|key| key.starts_with("app:")), "{keys}");
}
