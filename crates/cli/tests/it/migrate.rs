//! Moving messages between brokers, also when the move is killed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::RedisServer;

use crate::sandbox::{PATIENCE, Sandbox, stderr, stdout};

/// Enough for many batches, so that a kill meets a move under way.
const MANY: usize = 2_000;

fn send(sandbox: &Sandbox, broker: &str, task: &str, queue: &str) {
    let call = ["call", task, "-a", "[1, \"ü\"]", "--queue", queue];
    sandbox
        .run(&[&call[..], &["-b", broker]].concat())
        .success();
}

fn ready(sandbox: &Sandbox, broker: &str, queue: &str) -> u64 {
    let queues = sandbox.json(&["queues", "-b", broker]);
    queues["queues"][queue]["ready"].as_u64().unwrap_or(0)
}

#[test]
fn messages_are_copied_or_moved_between_redis_and_sqlite() {
    let (sandbox, server) = (Sandbox::new(), RedisServer::start());
    let (redis, file) = (server.url(), "sqlite:file.db");
    for task in ["proj.a", "proj.b", "proj.a"] {
        send(&sandbox, &redis, task, "mail");
    }
    let before = sandbox.json(&["message", "decode", "--queue", "mail", "-b", &redis]);

    let copied = sandbox.run(&["migrate", &redis, file, "-n", "2"]).success();
    assert!(stdout(&copied).contains("Migrating task 2: proj.b["));
    assert!(stderr(&copied).contains("-a takes them out"));
    assert_eq!(
        (
            ready(&sandbox, &redis, "mail"),
            ready(&sandbox, file, "mail")
        ),
        (3, 2)
    );

    let arguments = [
        "migrate",
        &redis,
        file,
        "-a",
        "-Q",
        "mail:letters",
        "-T",
        "proj.a",
    ];
    let moved = sandbox.json(&arguments);
    assert_eq!(moved["queues"], serde_json::json!({"letters": 2}));
    assert_eq!(moved["other_tasks"], 1);
    assert_eq!(
        (
            ready(&sandbox, &redis, "mail"),
            ready(&sandbox, file, "letters")
        ),
        (1, 2)
    );

    sandbox
        .run(&["migrate", file, &redis, "-a", "-Q", "mail:back"])
        .success();
    let after = sandbox.json(&["message", "decode", "--queue", "back", "-b", &redis]);
    assert_eq!(after["body"], before["body"]);
    assert_eq!(after["headers"], before["headers"]);
    assert_eq!(ready(&sandbox, file, "mail"), 0);
}

#[test]
fn a_migration_that_makes_no_sense_is_refused() {
    let sandbox = Sandbox::new();
    let file = "sqlite:file.db";
    let text = stderr(&sandbox.run(&["migrate", file, "sqlite:to.db"]).code(1));
    assert!(text.contains("file.db is not there"), "{text}");
    send(&sandbox, file, "proj.a", "q");
    let text = stderr(&sandbox.run(&["migrate", file, file]).code(64));
    assert!(text.contains("the same queue"), "{text}");
    sandbox
        .run(&["migrate", file, file, "-Q", "q:other", "-a"])
        .success();
    assert_eq!(ready(&sandbox, file, "other"), 1);
}

/// The ids of a queue's ready messages, each once, and how many there are.
fn ids(sandbox: &Sandbox, broker: &str) -> (BTreeSet<String>, usize) {
    let decode = [
        "message", "decode", "--queue", "q", "-n", "100000", "-b", broker,
    ];
    let shown = sandbox.command(&decode).timeout(PATIENCE).assert();
    let shown = stdout(&shown);
    let messages = serde_json::Deserializer::from_str(&shown).into_iter::<Value>();
    let ids: Vec<_> = messages
        .map(|message| {
            message.unwrap()["headers"]["id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    (ids.iter().cloned().collect(), ids.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_move_loses_nothing() {
    let (sandbox, server) = (Sandbox::new(), RedisServer::start());
    sandbox.file("celeriac.toml", "celeriac_lease_seconds = 1\n");
    let (redis, file) = (server.url(), "sqlite:file.db");
    fill(&sandbox, &server, &redis);
    let mut kills = 0;
    for _ in 0..5 {
        let mut moving = sandbox.spawn(&["migrate", &redis, file, "-a"]);
        let line = |line: &str| line.starts_with("Migrating task 1");
        moving.wait_for_line(line, PATIENCE).await;
        kills += u32::from(moving.is_running());
        moving.kill();
    }
    assert!(kills > 0, "no move was under way when it was to be killed");
    // What a dead move held comes back within two leases; each move looks after it.
    let end = Instant::now() + PATIENCE;
    loop {
        sandbox
            .run(&["migrate", &redis, file, "-a", "-q", "-t", "2.5"])
            .success();
        let (moved, count) = ids(&sandbox, file);
        if moved.len() == MANY {
            assert!(count <= MANY + 100 * kills as usize, "{count} for {MANY}");
            break;
        }
        assert!(Instant::now() < end, "{} of {MANY} are there", moved.len());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(server.cli(&["HLEN", "unacked"]).trim(), "0");
}

/// Many messages of one that was sent, each with an id of its own.
fn fill(sandbox: &Sandbox, server: &RedisServer, redis: &str) {
    let call = [
        "call",
        "proj.a",
        "--task-id",
        "the-id",
        "--queue",
        "q",
        "-b",
        redis,
    ];
    sandbox.run(&call).success();
    let script = "local m = redis.call('LPOP', 'q') \
        for i = 1, tonumber(ARGV[1]) do \
        redis.call('LPUSH', 'q', (string.gsub(m, 'the%-id', 'id-' .. i))) end";
    server.cli(&["EVAL", script, "0", &MANY.to_string()]);
}
