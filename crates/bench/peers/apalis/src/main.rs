//! apalis under measurement: `bench-apalis worker`, or `bench-apalis noop COUNT`, or `bench-apalis stamp COUNT` with a pause of 20 ms
//! after each task.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use apalis::prelude::*;
use apalis_redis::{Config, RedisStorage};
use serde::{Deserialize, Serialize};

/// Jobs of one fetch, and jobs at once.
const BATCH: usize = 100;
/// Jobs that are published in one round trip.
const PUBLISHED: usize = 500;
const GAP: Duration = Duration::from_millis(20);
/// How often the worker looks when it is idle: the library's default.
const HEARTBEAT: Duration = Duration::from_secs(30);

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Job {
    Noop,
    Stamp { sent: f64 },
}

async fn run(job: Job) -> Result<(), BoxDynError> {
    if let Job::Stamp { sent } = job {
        let line = format!("{sent:.6} {:.6}\n", now());
        stamps().write_all(line.as_bytes())?;
    }
    Ok(())
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("the clock stands after 1970").as_secs_f64()
}

fn stamps() -> &'static File {
    static FILE: OnceLock<File> = OnceLock::new();
    FILE.get_or_init(|| {
        let path = std::env::var_os("BENCH_STAMPS").expect("the benchmark names the file");
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).open(path);
        file.expect("the benchmark's folder is writable")
    })
}

async fn open() -> anyhow::Result<RedisStorage<Job>> {
    let is_on = |name: &str| std::env::var(name).is_ok_and(|value| value == "1");
    let connection = apalis_redis::connect(std::env::var("BENCH_BROKER_URL")?).await?;
    let config = Config::default()
        .queue("bench")
        .batch_size(BATCH)
        .emit_events(false)
        .heartbeat_interval(HEARTBEAT)
        .lock_tasks(is_on("BENCH_LOCKS"))
        .persist_results(is_on("BENCH_RESULTS"));
    Ok(RedisStorage::new(connection).with_config(config))
}

async fn produce(task: &str, count: usize) -> anyhow::Result<()> {
    let mut storage = open().await?;
    if task == "stamp" {
        for _ in 0..count {
            storage.push(Job::Stamp { sent: now() }).await?;
            tokio::time::sleep(GAP).await;
        }
        return Ok(());
    }
    let mut left = count;
    while left > 0 {
        let batch = left.min(PUBLISHED);
        storage.push_bulk(vec![Job::Noop; batch]).await?;
        left -= batch;
    }
    Ok(())
}

async fn work() -> anyhow::Result<()> {
    let worker = WorkerBuilder::new(format!("bench-{}", std::process::id()))
        .backend(open().await?)
        .concurrency(BATCH)
        .parallelize(tokio::spawn)
        .build(run);
    Ok(worker.run().await?)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next().context("worker, noop or stamp?")?;
    if task == "worker" {
        return work().await;
    }
    let count = arguments.next().context("how many?")?;
    produce(&task, count.parse()?).await
}
