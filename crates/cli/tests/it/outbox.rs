//! Calls while the broker is down, and processes that are killed while they store and while they send.

use std::collections::HashSet;
use std::time::Duration;

use broker::{Publish, Route};
use outbox::{Outbox, OutboxOptions};
use protocol::{Limits, Message, TaskMessage};
use serde_json::Value;
use testkit::{Process, RedisServer};

use crate::sandbox::{PATIENCE, Sandbox, stderr, stdout};

/// A sandbox whose settings name a server that is down, and an outbox.
fn sandbox() -> (Sandbox, RedisServer) {
    let (sandbox, mut server) = (Sandbox::new(), RedisServer::builder().appendonly().start());
    server.stop();
    let text = format!(
        "broker_url = '{}'\nceleriac_outbox_path = 'outbox.db'\ntask_publish_retry = false\n",
        server.url()
    );
    sandbox.file("celeriac.toml", &text);
    (sandbox, server)
}

fn waiting(sandbox: &Sandbox) -> Vec<Value> {
    let list = sandbox.json(&["outbox", "list", "-n", "100000"]);
    list.as_array().unwrap().clone()
}

fn task_ids(waiting: &[Value]) -> Vec<String> {
    let id = |row: &Value| row["task_id"].as_str().unwrap().to_owned();
    waiting.iter().map(id).collect()
}

/// The ids in a queue, oldest first.
fn delivered(server: &RedisServer, queue: &str) -> Vec<String> {
    let text = server.cli(&["LRANGE", queue, "0", "-1"]);
    let read = |line: &str| Message::from_envelope(line.as_bytes(), &Limits::default()).unwrap();
    let ids = text
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| read(line).headers.id.unwrap());
    let mut ids: Vec<String> = ids.collect();
    ids.reverse();
    ids
}

/// Without those that had come before.
fn first_of_each(ids: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    ids.iter().filter(|id| seen.insert(*id)).cloned().collect()
}

#[test]
fn a_call_waits_for_the_broker_and_is_sent_in_its_order() {
    let (sandbox, mut server) = sandbox();
    let mut ids = Vec::new();
    for arguments in [
        &["call", "proj.add", "-a", "[1]"][..],
        &["call", "proj.add", "--countdown", "3600"],
    ] {
        let called = sandbox.run(arguments).success();
        assert!(
            stderr(&called).contains("waits in the outbox"),
            "{}",
            stderr(&called)
        );
        ids.push(stdout(&called).trim().to_owned());
    }
    assert_eq!(task_ids(&waiting(&sandbox)), ids);
    let table = stdout(&sandbox.run(&["outbox", "list"]).success());
    assert!(
        table.contains("proj.add") && table.contains("celery"),
        "{table}"
    );
    let text = stderr(&sandbox.run(&["outbox", "send"]).code(69));
    assert!(text.contains("cannot open"), "{text}");

    server.restart();
    assert_eq!(sandbox.json(&["outbox", "send"])["sent"], 2);
    assert_eq!(delivered(&server, "celery"), ids);
    assert!(
        server
            .cli(&["LINDEX", "celery", "0"])
            .contains("\"eta\": \"2"),
        "the ETA is kept"
    );
    let direct = stdout(&sandbox.run(&["call", "proj.add"]).success());
    assert_eq!(delivered(&server, "celery").last().unwrap(), direct.trim());
    assert!(stdout(&sandbox.run(&["outbox", "list"]).success()).contains("nothing waits"));
}

#[test]
fn the_next_call_sends_what_waits_before_itself() {
    let (sandbox, mut server) = sandbox();
    let first = stdout(&sandbox.run(&["call", "proj.add"]).success());
    server.restart();
    let second = stdout(&sandbox.run(&["call", "proj.add"]).success());
    assert_eq!(delivered(&server, "celery"), [first.trim(), second.trim()]);
}

#[test]
fn what_waits_can_be_deleted() {
    let (sandbox, _server) = sandbox();
    for _ in 0..3 {
        sandbox.run(&["call", "proj.add"]).success();
    }
    let first = waiting(&sandbox)[0]["id"].to_string();
    assert_eq!(sandbox.json(&["outbox", "purge", &first])["purged"], 1);
    assert_eq!(sandbox.json(&["outbox", "purge", "--all"])["purged"], 2);
    assert!(waiting(&sandbox).is_empty());
}

#[test]
fn without_an_outbox_and_with_a_broken_one_the_error_says_what_to_do() {
    let sandbox = Sandbox::new();
    let text = stderr(&sandbox.run(&["outbox", "list"]).code(64));
    assert!(text.contains("set celeriac_outbox_path"), "{text}");
    let file = sandbox.file("broken.db", &"no database at all, only text. ".repeat(200));
    let file = file.display().to_string();
    sandbox.file(
        "celeriac.toml",
        &format!("celeriac_outbox_path = '{file}'\n"),
    );
    for arguments in [&["outbox", "list"][..], &["call", "proj.add"]] {
        let text = stderr(&sandbox.run(arguments).code(1));
        assert!(
            text.contains("is damaged") && text.contains("move it away"),
            "{text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_killed_while_it_stores_has_stored_what_it_has_said() {
    let (sandbox, mut server) = sandbox();
    let (mut said, mut called) = (Vec::new(), 0);
    // Kills at every time from the start of a call to its end, until enough calls got through.
    while said.len() < 6 && called < 60 {
        let mut process = sandbox.spawn(&["call", "proj.add"]);
        tokio::time::sleep(Duration::from_millis(20 * (called % 12))).await;
        if called % 4 == 3 {
            process.wait_exit(PATIENCE).await;
        }
        process.kill();
        said.extend(printed_id(&process));
        called += 1;
    }
    assert!(said.len() >= 6, "calls got through");
    let stored = task_ids(&waiting(&sandbox));
    println!(
        "{called} calls, {} killed before they had stored",
        called as usize - stored.len()
    );
    for id in &said {
        assert!(stored.contains(id), "{id} was printed and is not stored");
    }
    server.restart();
    sandbox.run(&["outbox", "send"]).success();
    assert_eq!(delivered(&server, "celery"), stored);
}

fn printed_id(process: &Process) -> Option<String> {
    let id = process.output();
    let id = id
        .lines()
        .find(|line| line.len() == 36 && !line.contains(' '))?;
    Some(id.to_owned())
}

const STORED: usize = 6_000;
const KILLS: u64 = 10;

#[tokio::test(flavor = "multi_thread")]
async fn senders_that_are_killed_lose_nothing_and_keep_the_order() {
    let (sandbox, mut server) = sandbox();
    let outbox = Outbox::open(OutboxOptions::new(sandbox.path().join("outbox.db")))
        .await
        .unwrap();
    let ids: Vec<String> = (0..STORED).map(|number| format!("task-{number}")).collect();
    for some in ids.chunks(1_000) {
        let batch: Vec<Publish> = some.iter().map(|id| publish(id)).collect();
        outbox.add(&batch).await.unwrap();
    }
    server.restart();
    let mut killed_while_sending = 0;
    for kill in 0..KILLS {
        let before = outbox.totals().await.unwrap().messages;
        let mut sender = sandbox.spawn(&["outbox", "send"]);
        testkit::wait_until(PATIENCE, || async {
            outbox.totals().await.unwrap().messages < before
        })
        .await;
        // Somewhere between a batch's publication and the next one's deletion.
        tokio::time::sleep(Duration::from_micros(700 * kill)).await;
        sender.kill();
        let left = outbox.totals().await.unwrap().messages;
        killed_while_sending += u64::from(left > 0);
        if left == 0 {
            break;
        }
    }
    assert!(
        killed_while_sending > 0,
        "no sender was killed while it sent"
    );
    sandbox.run(&["outbox", "send"]).success();
    let delivered = delivered(&server, "celery");
    let doubled = delivered.len() - STORED;
    println!("{killed_while_sending} senders killed while sending; {doubled} messages came twice");
    assert_eq!(
        first_of_each(&delivered),
        ids,
        "all of them, in their order"
    );
    // A killed sender repeats at most the batch that it had under way.
    assert!(doubled as u64 <= killed_while_sending * 100, "{doubled}");
    assert_eq!(outbox.totals().await.unwrap().messages, 0);
}

fn publish(id: &str) -> Publish {
    let message = TaskMessage::new("proj.add", id).encode(protocol::Codec::Json, None);
    Publish {
        message: message.unwrap(),
        route: Route::queue("celery"),
    }
}
