//! The limit: only the Redis operations that one reliable task needs, over raw sockets. Nothing is parsed and nothing runs, so
//! what a worker reaches is a part of this. A script pops and holds a batch in one step; results and acknowledgements follow.

mod wire;

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use testkit::RedisServer;

use wire::Wire;

use crate::server_cpu::cpu_of;

/// Tasks of one batch, and connections that work at the same time.
const BATCH: usize = 64;
const CONNECTIONS: usize = 2;
/// A database of its own: what is measured afterwards counts the keys of database 0.
const DATABASE: &str = "9";
/// As large as a message without arguments is.
const MESSAGE_BYTES: usize = 900;
/// As large as the meta of such a task is.
const META: &[u8] = br#"{"status": "SUCCESS", "result": null, "traceback": null, "children": [], "date_done": "2026-01-01T00:00:00.000000+00:00", "task_id": "00000000-0000-4000-8000-000000000000"}"#;
const TTL_S: &str = "86400";

/// Pops and holds in three calls, however many messages there are.
const RESERVE: &str = "
local messages = redis.call('RPOP', KEYS[1], ARGV[1])
if not messages then
  return 0
end
local index, held = {}, {}
for at = 1, #messages do
  local tag = ARGV[3] .. at
  index[2 * at - 1], index[2 * at] = ARGV[2], tag
  held[2 * at - 1], held[2 * at] = tag, messages[at]
end
redis.call('ZADD', KEYS[2], unpack(index))
redis.call('HSET', KEYS[3], unpack(held))
return messages";

/// What the server allows.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Limit {
    /// Tasks a second.
    pub(crate) per_s: f64,
    /// CPU time of the server for each, in microseconds.
    pub(crate) server_cpu_us: f64,
}

impl Limit {
    /// Measures the server now, with this many tasks.
    pub(crate) fn measure(
        redis: &RedisServer,
        tasks: usize,
        results: bool,
    ) -> anyhow::Result<Self> {
        let mut wire = open(redis)?;
        fill(&mut wire, tasks)?;
        let cpu_before = server_cpu(&mut wire)?;
        let begin = Instant::now();
        let workers: Vec<_> = (0..CONNECTIONS)
            .map(|number| {
                let wire = open(redis)?;
                Ok(thread::spawn(move || drain(wire, number, results)))
            })
            .collect::<anyhow::Result<_>>()?;
        let mut done = 0;
        for worker in workers {
            done += worker.join().expect("a drain does not panic")?;
        }
        let took = begin.elapsed();
        let cpu = server_cpu(&mut wire)?.saturating_sub(cpu_before);
        wire.command(&[b"FLUSHDB"]);
        wire.exchange(1)?;
        ensure!(done == tasks, "the limit saw {done} of {tasks} tasks");
        Ok(Self {
            per_s: tasks as f64 / took.as_secs_f64(),
            server_cpu_us: cpu.as_secs_f64() * 1e6 / tasks as f64,
        })
    }
}

/// `LPUSH`es of messages of this length, one by one on one connection, a second.
pub(crate) fn pushes_per_s(
    redis: &RedisServer,
    count: usize,
    message_bytes: usize,
) -> anyhow::Result<f64> {
    let mut wire = open(redis)?;
    let message = vec![b'x'; message_bytes];
    let begin = Instant::now();
    for _ in 0..count {
        wire.command(&[b"LPUSH", b"queue", &message]);
        wire.exchange(1)?;
    }
    let took = begin.elapsed();
    wire.command(&[b"FLUSHDB"]);
    wire.exchange(1)?;
    Ok(count as f64 / took.as_secs_f64())
}

fn open(redis: &RedisServer) -> anyhow::Result<Wire> {
    let mut wire = Wire::connect(&redis.address())?;
    wire.command(&[b"SELECT", DATABASE.as_bytes()]);
    wire.exchange(1)?;
    Ok(wire)
}

fn fill(wire: &mut Wire, tasks: usize) -> anyhow::Result<()> {
    let message = [b'x'; MESSAGE_BYTES];
    for begin in (0..tasks).step_by(BATCH) {
        let count = BATCH.min(tasks - begin);
        for _ in 0..count {
            wire.command(&[b"LPUSH", b"queue", &message]);
        }
        wire.exchange(count)?;
    }
    Ok(())
}

fn server_cpu(wire: &mut Wire) -> anyhow::Result<Duration> {
    wire.command(&[b"INFO", b"cpu"]);
    let text = wire.exchange(1)?.into_iter().next().and_then(wire::text);
    cpu_of(&text.context("the server does not tell of itself")?)
}

/// Works until the queue is empty; returns how many tasks that were.
fn drain(mut wire: Wire, number: usize, results: bool) -> anyhow::Result<usize> {
    wire.command(&[b"SCRIPT", b"LOAD", RESERVE.as_bytes()]);
    let script = wire.exchange(1)?.into_iter().next().and_then(wire::text);
    let script = script.context("the server does not tell a script's name")?;
    let mut done = 0;
    loop {
        let prefix = format!("{number:08x}-0000-4000-8000-{done:010x}");
        wire.command(&[
            b"EVALSHA",
            script.as_bytes(),
            b"3",
            b"queue",
            b"index",
            b"held",
            BATCH.to_string().as_bytes(),
            b"1763000000.0",
            prefix.as_bytes(),
        ]);
        let count = wire.exchange(1)?.first().map_or(0, wire::length);
        if count == 0 {
            return Ok(done);
        }
        let tags: Vec<String> = (1..=count).map(|at| format!("{prefix}{at}")).collect();
        settle(&mut wire, &tags, results)?;
        done += count;
    }
}

fn settle(wire: &mut Wire, tags: &[String], results: bool) -> anyhow::Result<()> {
    let mut replies = 2;
    for tag in tags.iter().filter(|_| results) {
        let key = format!("celery-task-meta-{tag}");
        wire.command(&[b"SETEX", key.as_bytes(), TTL_S.as_bytes(), META]);
        wire.command(&[b"PUBLISH", key.as_bytes(), META]);
        replies += 2;
    }
    for (verb, key) in [("ZREM", "index"), ("HDEL", "held")] {
        let mut parts = vec![verb.as_bytes(), key.as_bytes()];
        parts.extend(tags.iter().map(String::as_bytes));
        wire.command(&parts);
    }
    wire.exchange(replies)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_works_through_all_tasks_and_leaves_nothing() {
        let redis = RedisServer::start();
        for results in [true, false] {
            let limit = Limit::measure(&redis, 200, results).unwrap();
            assert!(limit.per_s > 0.0, "{limit:?}");
        }
        assert!(pushes_per_s(&redis, 10, 100).unwrap() > 0.0);
        assert_eq!(redis.cli(&["-n", DATABASE, "DBSIZE"]), "0");
    }
}
