//! Three beats whose clocks differ by up to ten seconds, and whose leader is killed, frozen or cut off again and again: each slot
//! gives one message. A worker that nobody disturbs takes what they send from the queue.

mod cast;
mod slots;

use std::fs;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use testkit::{Process, RedisServer, TempDir, bin, wait_until};
use tokio::time::sleep;

use cast::{Cast, Failover, Hazard};
use slots::{Slots, sent};

use super::PATIENCE;

/// How long a leader stays frozen or cut off: three leases and more.
const AWAY: Duration = Duration::from_secs(5);
/// From the writing of the schedule to its first slot: the leader must have seen it before, whose clock may be five seconds ahead.
const HEAD_START: SignedDuration = SignedDuration::from_secs(12);
/// How far the clocks are off, in seconds.
const CLOCKS: [i64; 3] = [0, 5, -5];
/// From the last hazard to the end: the slowest clock takes ten seconds to come to what the fastest has sent.
const TAIL: Duration = Duration::from_secs(15);

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
    pause: Duration::from_secs(10),
};

/// Intervals from one second to one minute, on grids that are known, and both kinds of cron.
fn settings(first: Timestamp, journal: &str) -> String {
    let mut text = String::new();
    let mut add = |name: &str, schedule: &str| {
        text.push_str(&format!(
            "[beat_schedule.{name}]\ntask = \"drill.slot\"\nschedule = {schedule}\n\
             kwargs = {{ journal_path = {journal:?} }}\n\
             policy = {{ misfire = \"all\", start_time = \"{first}\" }}\n"
        ));
    };
    for seconds in [1, 1, 1, 1, 2, 3, 5, 7, 10, 15, 30, 60].iter().enumerate() {
        add(
            &format!("every-{}-{}", seconds.0, seconds.1),
            &seconds.1.to_string(),
        );
    }
    add("minutely", "\"* * * * *\"");
    add("seconds", "{ cron = \"*/4 * * * * *\" }");
    text
}

/// What came of it.
struct Report {
    slots: Slots,
    failovers: Vec<Failover>,
}

async fn drill(scale: Scale) -> Report {
    let redis = RedisServer::start();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("celeriac.toml");
    fs::write(&file, "").unwrap();
    let mut worker = worker(&redis, &folder);
    let mut cast = Cast::start(&redis, folder.path(), &CLOCKS).await;
    let first = Timestamp::now().round(jiff::Unit::Second).unwrap() + HEAD_START;
    let journal = folder.path().join("journal");
    let text = settings(first, journal.to_str().unwrap());
    fs::write(&file, &text).unwrap();
    wait_until(PATIENCE, async || Timestamp::now() > first).await;
    let mut failovers = Vec::new();
    for number in 0..scale.hazards {
        let began = Instant::now();
        let hazard = [Hazard::Kill, Hazard::Freeze, Hazard::CutOff][number % 3];
        failovers.push(cast.strike(hazard, AWAY).await);
        sleep(scale.pause.saturating_sub(began.elapsed())).await;
    }
    sleep(TAIL).await;
    let offsets = cast.stop().await;
    // What was sent is in the queue or in the journal: the worker finishes the queue before it ends.
    let queued = || redis.cli(&["LLEN", "celery"]).trim() != "0";
    wait_until(PATIENCE, async || !queued()).await;
    worker.terminate();
    let status = worker.wait_exit(PATIENCE).await;
    assert!(status.success(), "{}", worker.output());
    let sent = sent(&fs::read_to_string(&journal).unwrap(), &offsets);
    Report {
        slots: Slots::compare(&text, first, sent, &failovers),
        failovers,
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
            "{} hazards: {} slots, each sent once; the next beat led after {longest:?} at most; {}",
            self.failovers.len(),
            self.slots.count(),
            self.slots.lateness()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_slot_is_sent_once_whatever_happens_to_the_leader() {
    drill(SHORT).await.print();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes ten minutes: make drill-beat"]
async fn long_each_slot_is_sent_once_whatever_happens_to_the_leader() {
    let report = drill(LONG).await;
    report.print();
    let slow: Vec<_> = report
        .failovers
        .iter()
        .map(Failover::took)
        .filter(|took| *took > Duration::from_secs(2))
        .collect();
    assert!(slow.is_empty(), "failovers beyond two seconds: {slow:?}");
    let late = report.slots.late_p99();
    assert!(
        late < Duration::from_secs(1),
        "p99 of the lateness: {late:?}"
    );
}
