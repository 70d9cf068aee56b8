//! Real servers with each setting, seen through redis-cli over TCP where the setting shows there.

use std::process::Command;

use testkit::{Process, Python, RedisServer};
use url::Url;

/// `redis-cli` over TCP by the server's URL, as any other client would come in; both outputs as one text.
async fn cli_by_url(server: &RedisServer, url: &str, args: &[&str]) -> String {
    let url = Url::parse(url).unwrap();
    let mut command = Command::new("redis-cli");
    command.args(["-h", "127.0.0.1", "-p", &server.port().to_string()]);
    command.args(["-n", url.path().trim_start_matches('/')]);
    if let Some(password) = url.password() {
        command.env("REDISCLI_AUTH", password);
    }
    if !url.username().is_empty() {
        command.args(["--user", url.username()]);
    }
    if let Some(ca) = server.ca_file() {
        command.arg("--tls").arg("--cacert").arg(ca);
    }
    let mut process = Process::spawn(command.args(args));
    process.wait_exit(std::time::Duration::from_secs(30)).await;
    process
        .wait_for_line(|_| true, std::time::Duration::from_secs(30))
        .await;
    process.output()
}

#[tokio::test]
async fn a_plain_server_answers_on_tcp_and_on_its_socket() {
    let server = RedisServer::start();
    assert_eq!(server.cli(&["SET", "key", "value"]), "OK");
    assert_eq!(
        cli_by_url(&server, &server.url(), &["GET", "key"]).await,
        "value"
    );
    let other = cli_by_url(&server, &server.url_db(3), &["EXISTS", "key"]).await;
    assert_eq!(other, "0");
}

#[tokio::test]
async fn a_password_is_asked_for_and_is_in_the_url() {
    let server = RedisServer::builder().password("s3cret").start();
    assert_eq!(cli_by_url(&server, &server.url(), &["PING"]).await, "PONG");
    let without = format!("redis://{}/0", server.address());
    assert!(
        cli_by_url(&server, &without, &["PING"])
            .await
            .contains("NOAUTH")
    );
}

#[tokio::test]
async fn an_acl_user_replaces_the_default_one() {
    let server = RedisServer::builder().acl_user("worker", "s3cret").start();
    let who = cli_by_url(&server, &server.url(), &["ACL", "WHOAMI"]).await;
    assert_eq!(who, "worker");
    let without = format!("redis://{}/0", server.address());
    assert!(
        cli_by_url(&server, &without, &["PING"])
            .await
            .contains("NOAUTH")
    );
}

#[tokio::test]
async fn tls_is_verified_against_the_generated_authority() {
    let server = RedisServer::builder().tls().start();
    assert!(server.url().starts_with("rediss://127.0.0.1:"));
    assert_eq!(cli_by_url(&server, &server.url(), &["PING"]).await, "PONG");
}

#[test]
fn appendonly_data_survives_a_kill_and_a_restart_on_the_same_port() {
    let mut server = RedisServer::builder().appendonly().start();
    let port = server.port();
    server.cli(&["SET", "key", "kept"]);
    server.kill();
    server.restart();
    assert_eq!(server.port(), port);
    assert_eq!(server.cli(&["GET", "key"]), "kept");
    server.restart();
    assert_eq!(server.cli(&["GET", "key"]), "kept");
}

#[test]
fn a_memory_bound_refuses_writes() {
    let server = RedisServer::builder().maxmemory(1).start();
    assert!(server.cli(&["SET", "key", "value"]).contains("OOM"));
}

#[tokio::test]
async fn a_paused_server_answers_only_after_resume() {
    let server = RedisServer::start();
    server.pause();
    let mut ping =
        Process::spawn(Command::new("redis-cli").args(["-p", &server.port().to_string(), "PING"]));
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert!(ping.is_running());
    server.resume();
    let deadline = std::time::Duration::from_secs(30);
    ping.wait_for_line(|line| line == "PONG", deadline).await;
}

#[test]
fn python_reaches_the_server_by_every_url() {
    let python = Python::find();
    let plain = RedisServer::start();
    let tls = RedisServer::builder().tls().start();
    let user = RedisServer::builder().acl_user("worker", "s3cret").start();
    for url in [
        plain.url(),
        plain.unix_url(),
        tls.url(),
        user.url(),
        user.unix_url(),
    ] {
        let script = "import os\nfrom celery import Celery\n\
            with Celery(broker=os.environ['URL']).connection() as c: print(c.default_channel.client.ping())";
        let folder = std::env::temp_dir();
        let output = python.clone().env("URL", &url).run(&folder, script);
        assert_eq!(output.trim(), "True", "{url}");
    }
}
