//! What surrounds every finance task: the run on record, the lock, the folders that it may touch.

use jiff::{SignedDuration, Timestamp};
use portfolio::error::Error;
use portfolio::store::{LockAttempt, Store};
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use tasks::App;
use testkit::wait_until;

use crate::support::{DEADLINE, System};

const CLEANUP: &str = "dashboard.tasks.cleanup_old_data";

async fn store(system: &System) -> Store {
    Store::create(system.data.path().join("finance.db"))
        .await
        .unwrap()
}

#[tokio::test]
async fn every_run_is_on_record_with_how_it_ended() {
    let system = System::start().await;
    let store = store(&system).await;
    let from = Timestamp::now() - SignedDuration::from_secs(1);
    system.run(system.call("dashboard.tasks.debug_task")).await;
    system
        .fails(system.call("finflow.core.tasks.test_failure"))
        .await;
    system
        .run(
            system
                .call("finflow.core.tasks.test_retry")
                .kwarg("fail_times", 1),
        )
        .await;
    let to = Timestamp::now() + SignedDuration::from_secs(1);
    let runs = store.runs_between(from, to).await.unwrap();
    let mut ended: Vec<(&str, &str, i64)> = runs
        .iter()
        .map(|run| (run.name.as_str(), run.state.as_str(), run.retries))
        .collect();
    ended.sort_unstable();
    let expected = [
        ("dashboard.tasks.debug_task", "SUCCESS", 0),
        ("finflow.core.tasks.test_failure", "FAILURE", 0),
        ("finflow.core.tasks.test_retry", "SUCCESS", 1),
    ];
    assert_eq!(ended, expected);

    let updated = system
        .run(system.call("apps.main.tasks.update_analytics"))
        .await;
    assert_eq!(updated["data"]["buckets"], 2);
    let rate = updated["data"]["task_success_rate"].as_f64().unwrap();
    assert!((rate - 2.0 / 3.0).abs() < 1e-9, "{rate}");
}

#[tokio::test]
async fn a_slow_database_delays_no_run_and_learns_how_it_ended() {
    let settings = json!({"celeriac_finance_record_timeout": 0.05});
    let system = System::of(
        |data| App::new(data).with_settings(&settings),
        &notify::Settings::default(),
        None,
    )
    .await;
    let store = store(&system).await;
    let from = Timestamp::now() - SignedDuration::from_secs(1);
    let file = SqliteConnectOptions::new().filename(system.data.path().join("finance.db"));
    let mut another = SqliteConnection::connect_with(&file).await.unwrap();
    let writing = another.begin_with("BEGIN IMMEDIATE").await.unwrap();
    system.run(system.call("dashboard.tasks.debug_task")).await;

    let to = Timestamp::now() + SignedDuration::from_secs(60);
    assert!(store.runs_between(from, to).await.unwrap().is_empty());
    // Asked for later than the run's row, and refused: by then that was refused too.
    let now = Timestamp::now();
    let lease = SignedDuration::from_secs(1);
    let refused = store.lock("another", "test", now, lease).await;
    assert!(matches!(refused, Err(Error::DatabaseBusy { .. })));
    writing.rollback().await.unwrap();
    wait_until(DEADLINE, async || {
        let runs = store.runs_between(from, to).await.unwrap();
        runs.iter().any(|run| run.state == "SUCCESS")
    })
    .await;
}

#[tokio::test]
async fn a_second_run_is_skipped_and_says_who_holds_the_lock() {
    let system = System::start().await;
    let store = store(&system).await;
    let lease = SignedDuration::from_secs(60);
    let taken = store.lock("cleanup_old_data", "other", Timestamp::now(), lease);
    let LockAttempt::Acquired(lock) = taken.await.unwrap() else {
        panic!("nobody else holds it")
    };
    let skipped = system.run(system.call(CLEANUP)).await;
    assert_eq!(skipped["status"], "skipped");
    assert_eq!(
        skipped["data"],
        json!({"reason": "already_running", "holder": "other"})
    );
    store.unlock(&lock).await.unwrap();
    for _ in 0..2 {
        let done = system.run(system.call(CLEANUP)).await;
        assert_eq!(done["status"], "success", "{done}");
        assert_eq!(done["data"]["dry_run"], false);
    }
}

#[tokio::test]
async fn old_temporary_files_go_and_links_lead_nowhere() {
    let system = System::start().await;
    store(&system).await;
    let outside = tempfile::TempDir::new().unwrap();
    std::fs::write(outside.path().join("kept"), "1").unwrap();
    let root = system.data.path().join("temp");
    std::fs::create_dir(&root).unwrap();
    std::os::unix::fs::symlink(outside.path(), root.join("out")).unwrap();
    let old = std::fs::File::create(root.join("old")).unwrap();
    old.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(90_000))
        .unwrap();
    drop(old);
    let name = "apps.main.tasks.cleanup_temp_files";
    let (kind, text) = system
        .fails(system.call(name).kwarg("temp_dir", "out"))
        .await;
    assert_eq!(kind, "InvalidArgument", "{text}");
    let cleaned = system.run(system.call(name)).await;
    assert_eq!(cleaned["data"]["files_deleted"], 1, "{cleaned}");
    assert!(outside.path().join("kept").exists());
}
