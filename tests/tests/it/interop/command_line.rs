//! Our command line against Python workers, and with messages that Python has published.

use std::process::Command;

use serde_json::{Value, json};
use testkit::{RedisServer, TempDir, bin};

use super::{PATIENCE, python, scripts};

fn celeriac(folder: &TempDir, url: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(bin("celeriac"));
    command.current_dir(folder.path()).args(["-b", url]);
    let output = command.args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        text(output.stderr)
    );
    text(output.stdout)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_worker_answers_every_command() {
    let (redis, folder) = (RedisServer::start(), TempDir::new().unwrap());
    let url = redis.url();
    let arguments = ["-P", "prefork", "-c", "1", "-n", "py@test"];
    let mut snake = python(&url).spawn_worker(&scripts(), "interop", &arguments);
    snake
        .wait_for_line(|line| line.contains(" ready."), PATIENCE)
        .await;
    let to_it = ["-d", "py@test", "-t", "30", "--json"];
    let ask = |kind: &str, words: &str| -> Value {
        let words: Vec<_> = words.split(' ').collect();
        let text = celeriac(&folder, &url, &[&[kind], &words[..], &to_it].concat());
        let answer: Value = serde_json::from_str(&text).unwrap();
        let answer = if kind == "control" {
            &answer[0]
        } else {
            &answer
        };
        answer["py@test"].clone()
    };
    for (question, expected) in [
        ("ping", json!({"ok": "pong"})),
        ("active", json!([])),
        ("reserved", json!([])),
        ("scheduled", json!([])),
        ("revoked", json!([])),
        ("query_task none", json!({})),
    ] {
        assert_eq!(ask("inspect", question), expected, "{question}");
    }
    for question in [
        "active_queues",
        "clock",
        "conf",
        "registered",
        "report",
        "stats",
    ] {
        assert!(!ask("inspect", question).is_null(), "{question}");
    }
    for (command, expected) in [
        (
            "rate_limit drill.echo 10/m",
            "new rate limit set successfully",
        ),
        (
            "time_limit drill.echo 10 20",
            "time limits set successfully",
        ),
        ("add_consumer more", "add consumer more"),
        ("cancel_consumer more", "no longer consuming from more"),
        ("enable_events", "task events enabled"),
        ("disable_events", "task events disabled"),
        ("pool_grow 1", "pool will grow"),
        ("pool_shrink 1", "pool will shrink"),
        ("revoke a", "tasks {'a'} flagged as revoked"),
        ("terminate KILL a", "terminate: tasks unknown"),
    ] {
        assert_eq!(ask("control", command)["ok"], expected, "{command}");
    }
    let refused = ask("control", "autoscale 3 1");
    assert!(
        refused["error"].as_str().unwrap().contains("not enabled"),
        "{refused}"
    );
    assert_eq!(ask("control", "heartbeat"), Value::Null);
    let queues = celeriac(&folder, &url, &["queues"]);
    assert!(!queues.contains("pidbox"), "{queues}");

    celeriac(
        &folder,
        &url,
        &["control", "shutdown", "-d", "py@test", "-t", "30"],
    );
    assert!(snake.wait_exit(PATIENCE).await.success());
}

const PUBLISH: &str = "
from interop import app
value = {'text': 'ü', 'big': 12345678901234567890123, 'small': 1e-7, 'none': None}
app.send_task('drill.echo', [value], task_id='the-id', compression='zlib', priority=3,
              headers={'custom': [1, {'deep': 0.1}]}, expires=3600)
";

fn envelope(redis: &RedisServer) -> Value {
    let list = redis.cli(&["KEYS", "celery*"]);
    let raw = redis.cli(&["LINDEX", list.trim(), "0"]);
    serde_json::from_str(&raw).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_python_published_survives_a_migration_over_sqlite() {
    let (from, to) = (RedisServer::start(), RedisServer::start());
    let folder = TempDir::new().unwrap();
    let _ = python(&from.url()).run(&scripts(), PUBLISH);
    let before = envelope(&from);
    let file = "sqlite:file.db";
    for (source, destination) in [(from.url().as_str(), file), (file, to.url().as_str())] {
        celeriac(&folder, file, &["migrate", source, destination, "-a"]);
    }
    let after = envelope(&to);
    for part in ["body", "headers", "content-type", "content-encoding"] {
        assert_eq!(after[part], before[part], "{part}");
    }
    for part in ["correlation_id", "reply_to", "priority", "delivery_mode"] {
        assert_eq!(
            after["properties"][part], before["properties"][part],
            "{part}"
        );
    }
    let snake = python(&to.url()).spawn_worker(&scripts(), "interop", &["-P", "solo"]);
    snake
        .wait_for_line(|line| line.contains("succeeded in"), PATIENCE)
        .await;
    let result = celeriac(
        &folder,
        &to.url(),
        &["--result-backend", &to.url(), "result", "the-id", "--wait"],
    );
    assert!(result.contains("12345678901234567890123"), "{result}");
}
