//! What operates the installation on both servers: runs on record, metrics, cache entries that live on, deletion of what is old.

use jiff::{SignedDuration, Timestamp};
use portfolio::analytics::{PARTS, dashboard_key, expiring_parts, refresh_dashboard};
use portfolio::store::{CacheRow, Metric, NewRun, RunEnd, Store};

use crate::world::{Server, World, on_both_servers};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// A run that ended at a time.
async fn ran(store: &Store, task_id: &str, state: &'static str, finished: Timestamp) {
    let run = NewRun {
        task_id: task_id.to_owned(),
        name: "demo.task".to_owned(),
        queue: "default".to_owned(),
        worker: "w1".to_owned(),
        args: "{}".to_owned(),
        retries: 1,
        started: finished - SignedDuration::from_secs(2),
    };
    store.run_started(&run).await.unwrap();
    let end = RunEnd {
        retries: 1,
        state,
        finished,
        duration: SignedDuration::from_secs(2),
        error: None,
    };
    store.run_ended(task_id, &end).await.unwrap();
}

on_both_servers!(runs_are_found_by_when_they_ended);

async fn runs_are_found_by_when_they_ended(server: Server) {
    let World { store, .. } = &World::empty(server).await;
    let fraction = SignedDuration::from_millis(250);
    ran(store, "before", "SUCCESS", noon() - fraction).await;
    ran(store, "first", "SUCCESS", noon() + fraction).await;
    ran(store, "last", "FAILURE", noon() + HOUR - fraction).await;
    ran(store, "after", "SUCCESS", noon() + HOUR).await;
    let runs = store.runs_between(noon(), noon() + HOUR).await.unwrap();
    let states: Vec<&str> = runs.iter().map(|run| run.state.as_str()).collect();
    assert_eq!(states, ["SUCCESS", "FAILURE"]);
    assert_eq!((runs[0].duration_ms, runs[0].retries), (2_000, 1));
    assert!(
        store
            .actions_between(noon(), noon() + HOUR)
            .await
            .unwrap()
            .is_empty()
    );
}

on_both_servers!(metrics_are_replaced_bucket_by_bucket);

async fn metrics_are_replaced_bucket_by_bucket(server: Server) {
    let World { store, .. } = &World::empty(server).await;
    let metric = |label: &str| Metric {
        bucket: noon(),
        name: "actions",
        label: label.to_owned(),
        value: 1.5,
    };
    let first = [metric("login"), metric("click")];
    store.put_metrics(&[noon()], &first).await.unwrap();
    store.put_metrics(&[noon()], &first[..1]).await.unwrap();
    let count = |before| async move { store.delete_old("metrics_5m", before, true).await.unwrap() };
    assert_eq!(count(noon() + HOUR).await, 1);
    assert_eq!(count(noon()).await, 0);
}

on_both_servers!(what_is_old_is_counted_then_deleted_once);

async fn what_is_old_is_counted_then_deleted_once(server: Server) {
    let world = World::empty(server).await;
    let store = &world.store;
    ran(store, "old", "SUCCESS", noon() - HOUR).await;
    ran(store, "new", "SUCCESS", noon() + HOUR).await;
    let lasting = store.lasting_rows().await.unwrap();
    for (dry_run, expected) in [(true, 1), (false, 1), (false, 0)] {
        let mut deleted = 0;
        for table in Store::perishable_tables() {
            deleted += store.delete_old(table, noon(), dry_run).await.unwrap();
        }
        assert_eq!(deleted, expected, "{dry_run}");
    }
    assert_eq!(
        store
            .delete_old("transactions", noon(), false)
            .await
            .unwrap(),
        0
    );
    assert_eq!(store.lasting_rows().await.unwrap(), lasting);
    assert!(store.expired_artefacts(noon()).await.unwrap().is_empty());
    assert!(store.database_bytes().await.unwrap() > 0);
    assert!(store.free_bytes().await.unwrap() >= 0);
}

on_both_servers!(an_equal_entry_keeps_its_version_and_lives_on);

async fn an_equal_entry_keeps_its_version_and_lives_on(server: Server) {
    let World { store, .. } = &World::empty(server).await;
    let entry = |value: &str| CacheRow {
        key: "k".to_owned(),
        value: value.to_owned(),
        user_id: Some(1),
    };
    let put = async |value| {
        let entry = entry(value);
        store
            .refresh_cache(&entry, noon(), noon() + HOUR)
            .await
            .unwrap()
    };
    assert!(put("1").await);
    assert!(!put("1").await);
    assert_eq!(store.cache_use().await.unwrap(), (0, 1));
    assert!(put("2").await);
    assert_eq!(store.cache_use().await.unwrap(), (0, 2));
    let cached = store.cache_of(1).await.unwrap();
    let quarter = SignedDuration::from_mins(15);
    assert!(!cached["k"].is_expiring(noon() + HOUR - quarter));
    assert!(cached["k"].is_expiring(noon() + HOUR - quarter + SignedDuration::from_secs(1)));
}

on_both_servers!(a_dashboard_is_complete_and_warm_until_it_nears_its_end);

async fn a_dashboard_is_complete_and_warm_until_it_nears_its_end(server: Server) {
    let world = World::empty(server).await;
    let store = &world.store;
    let user = world.user("a@b.c").await;
    assert_eq!(store.users_by_activity(noon()).await.unwrap(), [user]);
    let cold = expiring_parts(store, user, noon()).await.unwrap();
    assert_eq!(cold, PARTS);
    let written = refresh_dashboard(store, user, &cold, noon(), HOUR)
        .await
        .unwrap();
    assert_eq!((written.written, written.unchanged), (PARTS.len(), 0));
    let again = refresh_dashboard(store, user, &PARTS, noon(), HOUR)
        .await
        .unwrap();
    assert_eq!((again.written, again.unchanged), (0, PARTS.len()));
    let key = dashboard_key(user, "activity");
    assert_eq!(store.cached(&key).await.unwrap().as_deref(), Some("[]"));
    assert!(
        expiring_parts(store, user, noon())
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        expiring_parts(store, user, noon() + HOUR)
            .await
            .unwrap()
            .len(),
        PARTS.len()
    );
}
