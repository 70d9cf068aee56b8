//! The delivered schedule over eight days of a clock that the test holds.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use beat::{Beat, BeatParams, Clock, ScheduleFile};
use broker::{Backends, Coordinator};
use client::{Client, ClientOptions};
use jiff::{SignedDuration, Timestamp};
use protocol::{Map, from_value, to_value};
use serde_json::Value;
use testkit::{wait_until, workspace_root};
use tokio_util::sync::CancellationToken;

use super::held_time::HeldTime;
use super::system::{PATIENCE, System, settings};

const DAYS: i64 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn all_schedules_of_the_five_systems_fire_and_their_tasks_run() {
    let mut system = System::start();
    let schedule = delivered();
    assert!(schedule.problems.is_empty(), "{:?}", schedule.problems);
    let backends = service::open(&settings(&system)).await.unwrap();
    // What expires must not have done so by the worker's clock, which nobody holds.
    let clock = HeldTime::at(
        Timestamp::now() + SignedDuration::from_hours(1),
        Arc::clone(&backends.coordinator),
    );
    let backends = Backends {
        coordinator: Arc::clone(&clock) as Arc<dyn Coordinator>,
        ..backends
    };
    let beat = Beat::new(BeatParams {
        client: Client::new(backends.clone(), ClientOptions::default()),
        source: Arc::new(schedule.clone()),
        name: "held".to_owned(),
        lease: Duration::from_millis(1_500),
        cron_starting_deadline: None,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
    });
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { beat.run(stop).await }
    });
    let count = schedule.entries.len();
    for _ in 0..DAYS {
        all_are_sent(&backends, &schedule, clock.shown()).await;
        clock.pass(SignedDuration::from_hours(24));
    }
    all_are_sent(&backends, &schedule, clock.shown()).await;
    stop.cancel();
    running.await.unwrap();
    let rows = beat::rows(&*backends.coordinator, &schedule, clock.shown(), 1)
        .await
        .unwrap();
    for row in &rows {
        assert!(row.total_run_count > 0, "{} never ran", row.name);
    }
    println!(
        "{count} entries fired {} times",
        rows.iter().map(|row| row.total_run_count).sum::<u64>()
    );

    system.start_worker().await;
    wait_until(PATIENCE, async || system.messages() == 0).await;
    ran_well(&system, rows.iter().map(|row| row.task.as_str()).collect());
}

/// Waits until no entry is due any more.
async fn all_are_sent(backends: &Backends, schedule: &ScheduleFile, now: Timestamp) {
    wait_until(PATIENCE, async || {
        let rows = beat::rows(&*backends.coordinator, schedule, now, 1)
            .await
            .unwrap();
        rows.iter()
            .all(|row| row.next.first().is_some_and(|next| *next > now))
    })
    .await;
}

/// Every scheduled task has a run on record that succeeded, and none that did not.
fn ran_well(system: &System, scheduled: BTreeSet<&str>) {
    let state = system.state();
    let runs = state["task_runs"].as_array().unwrap();
    let (well, badly): (Vec<&Value>, Vec<&Value>) =
        runs.iter().partition(|run| run["state"] == "SUCCESS");
    assert!(badly.is_empty(), "{badly:#?}");
    let ran: BTreeSet<&str> = well.iter().filter_map(|run| run["name"].as_str()).collect();
    assert!(ran.is_superset(&scheduled), "{ran:?} of {scheduled:?}");
}

/// The schedule of the delivered settings.
fn delivered() -> ScheduleFile {
    let text = std::fs::read_to_string(workspace_root().join("deploy/celeriac.toml")).unwrap();
    let settings: toml::Table = text.parse().unwrap();
    let schedule: Map = from_value(to_value(&settings["beat_schedule"]).unwrap()).unwrap();
    ScheduleFile::read(&schedule, "UTC")
}
