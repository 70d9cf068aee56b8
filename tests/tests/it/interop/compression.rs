//! Bodies in every compression that kombu has, from and to real Python Celery.

use std::collections::BTreeSet;

use serde_json::Value;
use testkit::{RedisServer, TempDir};

use super::{PATIENCE, python, rust_worker, scripts};
use crate::drill::fleet::Fleet;

/// By kombu's short names and as they stand in a header.
const ALL: [(&str, &str); 5] = [
    ("zlib", "application/x-gzip"),
    ("bzip2", "application/x-bz2"),
    ("lzma", "application/x-lzma"),
    ("brotli", "application/x-brotli"),
    ("zstd", "application/zstd"),
];

const TEXT: &str = "Grüße, 世界 ";

/// What the messages of the queue say about their compression.
fn queued(redis: &RedisServer) -> BTreeSet<String> {
    let messages = redis.cli(&["LRANGE", "celery", "0", "-1"]);
    let compression = |line: &str| {
        let message: Value = serde_json::from_str(line).unwrap();
        message["headers"]["compression"]
            .as_str()
            .map(str::to_owned)
    };
    messages.lines().filter_map(compression).collect()
}

fn expected() -> BTreeSet<String> {
    ALL.map(|(_, header)| header.to_owned()).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rust_worker_reads_what_python_compresses() {
    let redis = RedisServer::start();
    let names = ALL.map(|(name, _)| name);
    let publish = format!(
        "from interop import app\nfor name in {names:?}:\n    \
         app.send_task('drill.echo', [{TEXT:?} * 1000], task_id=name, compression=name)"
    );
    let _ = python(&redis.url()).run(&scripts(), &publish);
    assert_eq!(queued(&redis), expected());
    let fleet = rust_worker(&redis);
    for name in names {
        assert_eq!(result(&fleet, name), TEXT.repeat(1_000), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_worker_reads_what_rust_compresses() {
    let redis = RedisServer::start();
    let fleet = Fleet::new(redis.url(), TempDir::new().unwrap(), &[]);
    let arguments = serde_json::to_string(&[TEXT.repeat(1_000)]).unwrap();
    for (name, _) in ALL {
        let mut call = fleet.command("celeriac");
        call.env("CELERY_TASK_COMPRESSION", name);
        call.args(["call", "drill.echo", "-a", &arguments, "--task-id", name]);
        let output = call.output().unwrap();
        assert!(output.status.success(), "{name}: {output:?}");
    }
    assert_eq!(queued(&redis), expected());
    let worker = python(&redis.url()).spawn_worker(&scripts(), "interop", &["-P", "solo"]);
    worker
        .wait_for_line(|line| line.contains(" ready."), PATIENCE)
        .await;
    for (name, _) in ALL {
        assert_eq!(result(&fleet, name), TEXT.repeat(1_000), "{name}");
    }
}

/// The text that a task has returned.
fn result(fleet: &Fleet, id: &str) -> String {
    let mut command = fleet.command("celeriac");
    command.args(["result", id, "--wait", "--json"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{id}: {output:?}");
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    result["result"].as_str().unwrap_or_default().to_owned()
}
