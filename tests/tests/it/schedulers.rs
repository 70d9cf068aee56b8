//! Beat as a process of its own and within workers: what it answers over HTTP, and that many of them send each slot once.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use testkit::{Process, RedisServer, TempDir, wait_until};

use crate::drill::fleet::{Fleet, sqlite_in};
use crate::probes::{address, get};

const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with a schedule of one entry a second, which writes to the journal.
fn stage() -> Fleet {
    let folder = TempDir::new().unwrap();
    let broker = sqlite_in(folder.path());
    stage_on(broker, folder)
}

fn stage_on(broker: String, folder: TempDir) -> Fleet {
    let fleet = Fleet::new(broker, folder, &[]);
    let settings = format!(
        "[beat_schedule.tick]\ntask = \"drill.slot\"\nschedule = 1\nkwargs = {{ journal_path = {:?} }}\n",
        fleet.journal()
    );
    fs::write(settings_file(&fleet), settings).unwrap();
    fleet
}

fn settings_file(fleet: &Fleet) -> PathBuf {
    fleet.folder.path().join("celeriac.toml")
}

fn start(fleet: &Fleet, program: &str, options: &[&str]) -> Process {
    let mut command = fleet.command(program);
    command.args(["--config", "celeriac.toml", "-l", "INFO"]);
    Process::spawn(command.args(["--http", "127.0.0.1:0"]).args(options))
}

/// The ids of all tasks that ran.
fn ran(fleet: &Fleet) -> Vec<String> {
    let journal = fs::read_to_string(fleet.journal()).unwrap_or_default();
    let ids = journal.lines().filter_map(|line| line.split(' ').next());
    ids.map(str::to_owned).collect()
}

async fn more_run(fleet: &Fleet) {
    let so_far = ran(fleet).len();
    wait_until(PATIENCE, async || ran(fleet).len() > so_far + 2).await;
}

async fn says(address: &str, text: &str) {
    let expected = (200, format!("{text}\n"));
    wait_until(PATIENCE, async || get(address, "/readyz") == expected).await;
}

async fn ends(mut process: Process) {
    process.terminate();
    let status = process.wait_exit(PATIENCE).await;
    assert!(status.success(), "{}", process.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_with_a_beat_send_each_slot_once() {
    let stage = stage();
    let worker = ["-B", "-c", "2", "-s", "celerybeat-schedule"];
    let first = start(&stage, "drill-worker", &worker);
    let at_first = address(&first).await;
    says(&at_first, "ready; leading").await;
    let mut second = start(&stage, "drill-worker", &worker);
    let at_second = address(&second).await;
    says(&at_second, "ready; another beat leads").await;
    more_run(&stage).await;
    let (_, metrics) = get(&at_first, "/metrics");
    for line in [
        "celeriac_slots 2",
        "celeriac_beat_leader 1",
        // The other is the clean-up of results in a SQLite file.
        "celeriac_beat_entries 2",
        "celeriac_beat_slots_doubled_total 0",
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "no {line} in\n{metrics}"
        );
    }
    assert_eq!(metrics.matches("# EOF").count(), 1, "{metrics}");
    ends(first).await;
    says(&at_second, "ready; leading").await;
    more_run(&stage).await;
    let third = start(&stage, "drill-worker", &worker);
    let at_third = address(&third).await;
    says(&at_third, "ready; another beat leads").await;
    second.kill();
    says(&at_third, "ready; leading").await;
    more_run(&stage).await;
    ends(third).await;
    let ran = ran(&stage);
    let distinct: BTreeSet<&String> = ran.iter().collect();
    assert_eq!(distinct.len(), ran.len(), "a slot was sent twice: {ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beat_tells_whether_it_leads_and_what_it_sent() {
    let stage = stage();
    let beat = start(&stage, "celeriac-beat", &[]);
    let address = address(&beat).await;
    says(&address, "leading").await;
    assert_eq!(get(&address, "/livez"), (200, "ok\n".to_owned()));
    let sent = |metrics: &str| {
        let line = |name: &str| {
            let found = metrics.lines().find_map(|line| line.strip_prefix(name));
            found.and_then(|rest| rest.trim().parse::<u64>().ok())
        };
        let sent = line("celeriac_beat_slots_sent_total")?;
        (Some(sent) == line("celeriac_beat_lateness_seconds_count")).then_some(sent)
    };
    let two = async || sent(&get(&address, "/metrics").1).is_some_and(|sent| sent >= 2);
    wait_until(PATIENCE, two).await;
    fs::write(
        settings_file(&stage),
        "[beat_schedule.wrong]\ntask = \"t\"\nschedule = \"0 0 30 2 *\"\n",
    )
    .unwrap();
    let wrong = "celeriac_beat_entries_wrong 1";
    wait_until(PATIENCE, async || {
        get(&address, "/metrics").1.contains(wrong)
    })
    .await;
    ends(beat).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beat_outlives_its_broker() {
    let mut redis = RedisServer::builder().appendonly().start();
    let stage = stage_on(redis.url(), TempDir::new().unwrap());
    let mut beat = start(&stage, "celeriac-beat", &[]);
    let address = address(&beat).await;
    says(&address, "leading").await;
    redis.kill();
    let gone = (503, "the broker does not answer\n".to_owned());
    wait_until(PATIENCE, async || get(&address, "/readyz") == gone).await;
    assert_eq!(get(&address, "/livez").0, 200, "a restart would not help");
    redis.restart();
    says(&address, "leading").await;
    let worker = start(&stage, "drill-worker", &["-c", "2"]);
    more_run(&stage).await;
    assert!(beat.is_running());
    ends(beat).await;
    ends(worker).await;
    let ran = ran(&stage);
    let distinct: BTreeSet<&String> = ran.iter().collect();
    assert_eq!(distinct.len(), ran.len(), "a slot was sent twice: {ran:?}");
}
