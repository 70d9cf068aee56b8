//! The worker's numbers.

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use protocol::{Map, Value, python_repr};

use super::{Answer, Panel, is_on, ok};
use crate::engine::Engine;
use crate::pools::Bounds;

/// The version whose wire this is.
const CELERY: &str = "5.7";

/// Fields of `getrusage` that Linux leaves at zero.
const UNUSED: [&str; 7] = [
    "ixrss", "idrss", "isrss", "nswap", "msgsnd", "msgrcv", "nsignals",
];

pub(super) fn stats(panel: &Panel, _: &Map) -> Answer {
    let engine = &panel.engine;
    let totals = engine.activity.totals();
    let totals = totals.iter().map(|(name, total)| (&**name, number(*total)));
    let mut stats = Map::new();
    stats.insert("total", totals.collect::<Map>());
    stats.insert("pid", std::process::id());
    stats.insert("clock", engine.client.clock().value().to_string());
    stats.insert("uptime", number(engine.started.elapsed().as_secs()));
    stats.insert("pool", pool(engine));
    if let Some(bounds) = engine.pool.bounds() {
        stats.insert("autoscaler", autoscaler(engine, bounds));
    }
    stats.insert("broker", engine.settings.broker_info.clone());
    stats.insert(
        "prefetch_count",
        number(engine.pool.prefetch_count() as u64),
    );
    stats.insert("rusage", usage());
    Ok(stats.into())
}

fn autoscaler(engine: &Engine, bounds: Bounds) -> Map {
    let held = engine.activity.held().len();
    let numbers = [
        ("max", bounds.max),
        ("min", bounds.min),
        ("current", engine.pool.concurrency()),
        ("qty", held),
    ];
    numbers
        .map(|(name, count)| (name, number(count as u64)))
        .into_iter()
        .collect()
}

fn pool(engine: &Engine) -> Map {
    let seconds = |limit: Option<f64>| limit.map_or(Value::Int(0), Value::Float);
    let timeouts = [
        engine.settings.task_soft_time_limit,
        engine.settings.task_time_limit,
    ]
    .map(seconds);
    let kind = engine.pool.kind().name();
    let mut pool = Map::new();
    pool.insert("implementation", format!("celeriac.pools.{kind}:TaskPool"));
    pool.insert("max-concurrency", number(engine.pool.concurrency() as u64));
    pool.insert("processes", engine.pool.processes());
    let max_tasks = engine.settings.worker_max_tasks_per_child;
    pool.insert(
        "max-tasks-per-child",
        max_tasks.map_or_else(|| Value::from("N/A"), number),
    );
    pool.insert("put-guarded-by-semaphore", true);
    pool.insert("timeouts", timeouts.to_vec());
    pool.insert("writes", writes(engine));
    pool
}

/// Celery tells how many tasks it has written to each process. Here all slots take from one queue.
fn writes(engine: &Engine) -> Map {
    let total: u64 = engine.activity.totals().values().sum();
    let (share, each) = match total {
        0 => (String::new(), String::new()),
        _ => ("1.00".to_owned(), total.to_string()),
    };
    let queues = [
        ("total", engine.pool.concurrency()),
        ("active", engine.activity.active()),
    ];
    let mut writes = Map::from_iter([("total", number(total))]);
    writes.insert("avg", if total == 0 { "0.00" } else { "1.00" });
    writes.insert("all", share);
    writes.insert("raw", each);
    writes.insert("strategy", "fair");
    writes.insert(
        "inqueues",
        queues
            .map(|(name, count)| (name, number(count as u64)))
            .into_iter()
            .collect::<Map>(),
    );
    writes
}

pub(super) fn conf(panel: &Panel, arguments: &Map) -> Answer {
    let settings = &panel.engine.settings;
    let mut all = Map::new();
    if is_on(arguments, "with_defaults") {
        all.extend(settings.conf_defaults.clone());
    }
    all.extend(settings.conf.clone());
    // Celery shows it always; there are no settings that were renamed here.
    all.insert("deprecated_settings", Value::Null);
    Ok(all.into())
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

pub(super) fn report(panel: &Panel, _: &Map) -> Answer {
    let settings = &panel.engine.settings;
    let broker = |field: &str| {
        let value = settings.broker_info.get(field).and_then(Value::as_str);
        value.unwrap_or("?").to_owned()
    };
    let mut text = format!(
        "\nsoftware -> celery:{CELERY} (as spoken by celeriac:{})\nplatform -> system:{} arch:{}\nloader   -> compiled in\n\
         settings -> transport:{} queues:{}\n\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        broker("transport"),
        panel.engine.queues.names().join(","),
    );
    for (name, value) in &settings.conf {
        text.push_str(&format!("{name}: {}\n", python_repr(value)));
    }
    Ok(ok(text))
}

fn number(count: u64) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}
