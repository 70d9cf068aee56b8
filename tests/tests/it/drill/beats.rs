//! Three beats on machines whose clocks differ by up to ten seconds, and whose leader is killed, frozen or cut off again and again:
//! each slot gives one message, at its time by the broker's clock. A worker that nobody disturbs takes what they send from the queue.

mod cast;
mod slots;
mod stalls;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use beat::Store as _;
use beat_sql::Tables;
use jiff::{SignedDuration, Timestamp};
use protocol::to_value;
use serde_json::json;
use testkit::{Postgres, Process, RedisServer, TempDir, bin, wait_until};
use tokio::time::sleep;

use cast::{Cast, Failover, Hazard};
use slots::{Slots, sent};
use stalls::Stalls;

use super::PATIENCE;

/// How long a leader stays frozen or cut off: three leases and more.
const AWAY: Duration = Duration::from_secs(5);
/// From the writing of the schedule to its first slot: the leader must have seen it before.
const HEAD_START: SignedDuration = SignedDuration::from_secs(6);
/// How far the clocks are off, in seconds.
const CLOCKS: [i64; 3] = [0, 5, -5];
/// From the last hazard to the end.
const TAIL: Duration = Duration::from_secs(6);

/// What the long drill claims.
const FAILOVER: Duration = Duration::from_secs(2);
const LATENESS: Duration = Duration::from_secs(1);

/// How much of it.
#[derive(Clone, Copy)]
struct Scale {
    hazards: usize,
    /// Between two hazards.
    pause: Duration,
}

const SHORT: Scale = Scale {
    hazards: 3,
    pause: Duration::from_secs(6),
};
const LONG: Scale = Scale {
    hazards: 57,
    // Slots lie on whole seconds; hazards meet every part of one.
    pause: Duration::from_millis(10_130),
};

/// Intervals from one second to one minute, on grids that are known, and both kinds of cron.
fn schedule(first: Timestamp, journal: &Path) -> serde_json::Value {
    let mut entries = serde_json::Map::new();
    let mut add = |name: String, schedule: serde_json::Value| {
        let entry = json!({
            "task": "drill.slot",
            "schedule": schedule,
            "kwargs": {"journal_path": journal},
            "policy": {"misfire": "all", "start_time": first.to_string()},
        });
        entries.insert(name, entry);
    };
    for (number, seconds) in [1, 1, 1, 1, 2, 3, 5, 7, 10, 15, 30, 60].iter().enumerate() {
        add(format!("every-{seconds}-{number}"), json!(seconds));
    }
    add("minutely".to_owned(), json!("* * * * *"));
    add("seconds".to_owned(), json!({"cron": "*/4 * * * * *"}));
    entries.into()
}

/// Where the entries are kept.
#[derive(Debug)]
enum Store {
    Settings,
    Tables(Box<Postgres>),
}

impl Store {
    fn url(&self) -> Option<String> {
        match self {
            Self::Settings => None,
            Self::Tables(postgres) => Some(postgres.url()),
        }
    }

    /// Writes the entries; a beat that runs follows.
    async fn write(&self, schedule: &serde_json::Value, settings: &Path) {
        let Self::Tables(postgres) = self else {
            let all = json!({"beat_schedule": schedule});
            return fs::write(settings, toml::to_string(&all).unwrap()).unwrap();
        };
        let tables = Tables::open(&postgres.url(), "UTC").unwrap();
        for (name, entry) in schedule.as_object().unwrap() {
            tables.put(name, &to_value(entry).unwrap()).await.unwrap();
        }
    }
}

/// What came of it.
struct Report {
    slots: Slots,
    failovers: Vec<Failover>,
    stalls: Stalls,
}

async fn drill(scale: Scale, store: Store) -> Report {
    let redis = RedisServer::start();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("celeriac.toml");
    fs::write(&file, "").unwrap();
    let mut worker = worker(&redis, &folder);
    if let Some(url) = store.url() {
        Tables::create(&url).await.unwrap();
    }
    let mut cast = Cast::start(&redis, store.url(), folder.path(), &CLOCKS).await;
    let first = Timestamp::now().round(jiff::Unit::Second).unwrap() + HEAD_START;
    let journal = folder.path().join("journal");
    let schedule = schedule(first, &journal);
    store.write(&schedule, &file).await;
    wait_until(PATIENCE, async || Timestamp::now() > first).await;
    let watch = stalls::watch(&folder.path().join("ticks"));
    let mut failovers = Vec::new();
    for number in 0..scale.hazards {
        let began = Instant::now();
        let hazard = [Hazard::Kill, Hazard::Freeze, Hazard::CutOff][number % 3];
        failovers.push(cast.strike(hazard, AWAY).await);
        sleep(scale.pause.saturating_sub(began.elapsed())).await;
    }
    sleep(TAIL).await;
    let stalls = watch.end();
    cast.stop().await;
    // What was sent is in the queue or in the journal: the worker finishes the queue before it ends.
    let queued = || redis.cli(&["LLEN", "celery"]).trim() != "0";
    wait_until(PATIENCE, async || !queued()).await;
    worker.terminate();
    let status = worker.wait_exit(PATIENCE).await;
    assert!(status.success(), "{}", worker.output());
    let sent = sent(&fs::read_to_string(&journal).unwrap());
    Report {
        slots: Slots::compare(&schedule, first, sent),
        failovers,
        stalls,
    }
}

fn worker(redis: &RedisServer, folder: &TempDir) -> Process {
    let mut command = std::process::Command::new(bin("drill-worker"));
    command
        .current_dir(folder.path())
        .env("CELERY_BROKER_URL", redis.url())
        .args(["-c", "4", "--without-heartbeat"]);
    Process::spawn(&mut command)
}

impl Report {
    fn print(&self) {
        let longest = self.failovers.iter().map(Failover::took).max();
        let longest = longest.unwrap_or_default();
        println!(
            "{} hazards: {} slots, each sent once, by {} beats; the next beat led after {longest:?} at most; {}; {}",
            self.failovers.len(),
            self.slots.count(),
            self.slots.senders(),
            self.slots.lateness(),
            self.stalls
        );
    }

    /// What the long drill claims beyond that.
    fn holds(&self) {
        self.print();
        let times = self.failovers.iter().map(Failover::took);
        let slow: Vec<Duration> = times.filter(|took| *took > FAILOVER).collect();
        assert!(slow.is_empty(), "failovers beyond {FAILOVER:?}: {slow:?}");
        let late = self.slots.late_p99();
        assert!(late < LATENESS, "p99 of the lateness: {late:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_slot_is_sent_once_whatever_happens_to_the_leader() {
    drill(SHORT, Store::Settings).await.print();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_slot_of_the_tables_is_sent_once_whatever_happens_to_the_leader() {
    let postgres = Store::Tables(Box::new(Postgres::start()));
    drill(SHORT, postgres).await.print();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes ten minutes: make drill-beat"]
async fn long_each_slot_is_sent_once_whatever_happens_to_the_leader() {
    drill(LONG, Store::Settings).await.holds();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes ten minutes: make drill-beat"]
async fn long_each_slot_of_the_tables_is_sent_once_whatever_happens_to_the_leader() {
    let postgres = Store::Tables(Box::new(Postgres::start()));
    drill(LONG, postgres).await.holds();
}
