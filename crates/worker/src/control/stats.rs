//! The worker's numbers.

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use protocol::{Map, Value};

use super::ok;
use crate::engine::Engine;

/// Fields of `getrusage` that Linux leaves at zero.
const UNUSED: [&str; 7] = [
    "ixrss", "idrss", "isrss", "nswap", "msgsnd", "msgrcv", "nsignals",
];

pub(super) fn stats(engine: &Engine) -> Value {
    let totals = engine.activity.totals();
    let mut stats = Map::new();
    stats.insert(
        "total",
        totals
            .iter()
            .map(|(name, total)| (&**name, number(*total)))
            .collect::<Map>(),
    );
    stats.insert("pid", std::process::id());
    stats.insert("clock", engine.client.clock().value().to_string());
    stats.insert("uptime", number(engine.started.elapsed().as_secs()));
    stats.insert("pool", pool(engine));
    stats.insert("broker", engine.settings.broker_info.clone());
    stats.insert(
        "prefetch_count",
        number(engine.pool.prefetch_count() as u64),
    );
    stats.insert("rusage", usage());
    Value::Map(stats)
}

fn pool(engine: &Engine) -> Map {
    let seconds = |limit: Option<f64>| Value::Float(limit.unwrap_or(0.0));
    let timeouts = [
        engine.settings.task_soft_time_limit,
        engine.settings.task_time_limit,
    ]
    .map(seconds);
    let mut pool = Map::new();
    pool.insert("implementation", "celeriac:TaskPool");
    pool.insert("max-concurrency", number(engine.pool.concurrency() as u64));
    pool.insert("processes", engine.pool.processes());
    pool.insert("max-tasks-per-child", "N/A");
    pool.insert("put-guarded-by-semaphore", true);
    pool.insert("timeouts", timeouts.to_vec());
    pool
}

fn usage() -> Map {
    let mut map = Map::new();
    if let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) {
        put(&mut map, &usage);
    }
    map
}

fn put(map: &mut Map, usage: &Usage) {
    let seconds = |time: nix::sys::time::TimeVal| time.num_microseconds() as f64 / 1e6;
    map.insert("utime", seconds(usage.user_time()));
    map.insert("stime", seconds(usage.system_time()));
    map.insert("maxrss", usage.max_rss());
    map.insert("minflt", usage.minor_page_faults());
    map.insert("majflt", usage.major_page_faults());
    map.insert("inblock", usage.block_reads());
    map.insert("oublock", usage.block_writes());
    map.insert("nvcsw", usage.voluntary_context_switches());
    map.insert("nivcsw", usage.involuntary_context_switches());
    map.extend(UNUSED.map(|name| (name, Value::Int(0))));
}

pub(super) fn report(engine: &Engine) -> Value {
    let mut text = format!(
        "\nsoftware -> celeriac:{} protocol:Celery 5.7\nplatform -> system:{} arch:{}\nqueues -> {}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        engine.settings.queues.join(", "),
    );
    for (name, value) in &engine.settings.conf {
        text.push_str(&format!(
            "\n{name}: {}",
            protocol::saferepr(value, 1_024, 3)
        ));
    }
    ok(text)
}

fn number(count: u64) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}
