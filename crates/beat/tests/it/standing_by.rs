//! What a standby knows when it follows: a takeover reads what has become due since, not everything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use async_trait::async_trait;
use beat::{Role, SPACE, StoredSchedule};
use broker::{Backends, Commit, Coordinator, CoordinatorLayer, Result};
use bytes::Bytes;
use protocol::to_value;
use serde_json::json;

use super::stage::{LEASE, Running, Stage, leave_the_grid, pass};

/// Counts what is read.
#[derive(Debug)]
struct Counting {
    coordinator: Arc<dyn Coordinator>,
    loads: AtomicUsize,
    fetched: AtomicUsize,
}

impl Counting {
    fn on(stage: &Stage) -> (Backends, Arc<Self>) {
        let counting = Arc::new(Self {
            coordinator: stage.backends.coordinator.clone(),
            loads: AtomicUsize::new(0),
            fetched: AtomicUsize::new(0),
        });
        let backends = Backends {
            coordinator: counting.clone(),
            ..stage.backends.clone()
        };
        (backends, counting)
    }
}

#[async_trait]
impl CoordinatorLayer for Counting {
    fn below(&self) -> &dyn Coordinator {
        &*self.coordinator
    }

    async fn load(&self, space: &str) -> Result<Vec<(String, Bytes)>> {
        self.loads.fetch_add(usize::from(space == SPACE), Relaxed);
        self.coordinator.load(space).await
    }

    async fn fetch(&self, space: &str, keys: &[String]) -> Result<Vec<Option<Bytes>>> {
        self.fetched.fetch_add(keys.len(), Relaxed);
        self.coordinator.fetch(space, keys).await
    }
}

fn stored(stage: &Stage) -> StoredSchedule {
    StoredSchedule::new(stage.backends.coordinator.clone(), "UTC")
}

/// A beat that follows the entries on the broker.
fn follow(stage: &Stage, backends: Backends, name: &str) -> Running {
    stage.follow(backends, name, Arc::new(stored(stage)))
}

async fn put(stage: &Stage, name: &str, entry: serde_json::Value) {
    let entry = to_value(&entry).unwrap();
    stored(stage).put(name, &entry).await.unwrap();
}

/// Two thousand entries that run each hour, and one that runs each second.
async fn put_many(stage: &Stage) {
    let hourly = to_value(&json!({"task": "t", "schedule": 3_600})).unwrap();
    let many = (0..2_000).map(|number| (format!("entry {number}"), hourly.clone()));
    stored(stage).put_all(many).await.unwrap();
    put(stage, "tick", json!({"task": "t", "schedule": 1})).await;
}

#[tokio::test(start_paused = true)]
async fn a_takeover_reads_what_has_become_due_since() {
    let stage = Stage::new();
    put_many(&stage).await;
    let first = follow(&stage, stage.backends.clone(), "first");
    first.beat.wait_for(Role::Leader).await;
    let (backends, counting) = Counting::on(&stage);
    let second = follow(&stage, backends, "second");
    second.beat.wait_for(Role::Standby).await;
    leave_the_grid().await;
    pass(30).await;
    first.kill();
    let before = counting.fetched.load(Relaxed);
    second.beat.wait_for(Role::Leader).await;
    let read = counting.fetched.load(Relaxed) - before;
    // A version for each look, and the tick that is missing, until the lease has run out.
    let looks = 4 * usize::try_from(LEASE.as_secs()).unwrap();
    assert!(read <= 2 * looks, "{read} records were read");
    assert_eq!(counting.loads.load(Relaxed), 1, "at its start");
    pass(10).await;
    stage.sent_once_each().await;
}

#[tokio::test(start_paused = true)]
async fn edits_that_a_leader_adopted_before_its_end_are_known() {
    let stage = Stage::new();
    put_many(&stage).await;
    let first = follow(&stage, stage.backends.clone(), "first");
    first.beat.wait_for(Role::Leader).await;
    let second = follow(&stage, stage.backends.clone(), "second");
    second.beat.wait_for(Role::Standby).await;
    stored(&stage).delete("tick").await.unwrap();
    put(&stage, "entry 7", json!({"task": "t", "schedule": 2})).await;
    put(&stage, "new", json!({"task": "t", "schedule": 5})).await;
    pass(3).await;
    first.kill();
    second.beat.wait_for(Role::Leader).await;
    pass(30).await;
    stage.sent_once_each().await;
    let counts = stage.counts().await;
    assert!(counts["new"] >= 6 && counts["entry 7"] >= 15, "{counts:?}");
    assert!(
        counts.get("tick").is_none_or(|count| *count <= 1),
        "{counts:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_has_forgotten_everything_is_told_anew() {
    let stage = Stage::new();
    let schedule = json!({"tick": {"task": "t", "schedule": 10}});
    let first = stage.start("first", &schedule);
    first.beat.wait_for(Role::Leader).await;
    let second = stage.start("second", &schedule);
    second.beat.wait_for(Role::Standby).await;
    pass(15).await;
    first.kill();
    forget(&stage).await;
    second.beat.wait_for(Role::Leader).await;
    assert_eq!(stage.sent_once_each().await, 1);
    pass(11).await;
    assert_eq!(stage.sent_once_each().await, 2, "it began when it followed");
    assert_eq!(stage.first_row(&schedule).await.total_run_count, 1);
}

/// Deletes what beat remembers.
async fn forget(stage: &Stage) {
    let coordinator = &stage.backends.coordinator;
    let fence = coordinator.acquire("other", "test", LEASE).await.unwrap();
    let records = coordinator.load(SPACE).await.unwrap();
    let commit = Commit {
        lease: "other".to_owned(),
        fence: fence.unwrap(),
        space: SPACE.to_owned(),
        entries: records.into_iter().map(|(key, _)| (key, None)).collect(),
        publish: Vec::new(),
    };
    assert!(coordinator.commit(commit).await.unwrap());
}
