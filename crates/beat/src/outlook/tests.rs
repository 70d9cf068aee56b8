use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use broker::{Backends, Commit, MemoryBroker};
use client::{Client, ClientOptions};
use protocol::{Map, from_value, to_value};
use serde_json::json;

use super::*;
use crate::state::{LEASE, Writes};
use crate::{BeatParams, Kept, ScheduleFile, Source, SourceError, SystemClock};

fn beat(backends: &Backends, schedule: &serde_json::Value) -> Beat {
    let map: Map = from_value(to_value(schedule).unwrap()).unwrap();
    beat_on(backends, Arc::new(ScheduleFile::read(&map, "UTC")))
}

fn beat_on(backends: &Backends, source: Arc<dyn Source>) -> Beat {
    Beat::new(BeatParams {
        client: Client::new(backends.clone(), ClientOptions::default()),
        source,
        name: "beat".to_owned(),
        lease: Duration::from_secs(60),
        cron_starting_deadline: None,
        clock: Arc::new(SystemClock::default()),
    })
}

/// What a beat on this schedule has to write.
async fn to_write(beat: &Beat) -> (Outlook, Writes) {
    let outlook = Outlook::read(beat).await.unwrap();
    let mut writes = outlook.examine(beat, 10).await.unwrap().writes();
    writes.sort();
    (outlook, writes)
}

async fn commit(backends: &Backends, entries: Writes) {
    let coordinator = &backends.coordinator;
    let ttl = Duration::from_secs(60);
    let fence = coordinator.acquire(LEASE, "beat", ttl).await.unwrap();
    let commit = Commit {
        lease: LEASE.to_owned(),
        fence: fence.unwrap(),
        space: SPACE.to_owned(),
        entries,
        publish: Vec::new(),
    };
    assert!(coordinator.commit(commit).await.unwrap());
}

#[tokio::test]
async fn removed_entries_are_forgotten_and_disabled_ones_are_not_sent() {
    let backends = MemoryBroker::new().backends();
    let hourly = json!({"task": "t", "schedule": "0 * * * *"});
    let disabled = json!({"task": "t", "schedule": "0 * * * *", "enabled": false});
    let before = beat(&backends, &json!({"a": hourly, "b": hourly, "c": hourly}));
    let (outlook, writes) = to_write(&before).await;
    assert_eq!((outlook.plan.len(), writes.len()), (3, 3));
    commit(&backends, writes).await;
    let (outlook, writes) = to_write(&before).await;
    assert!(writes.is_empty() && !outlook.is_unsettled());
    let after = beat(&backends, &json!({"a": hourly, "b": disabled}));
    let (outlook, writes) = to_write(&after).await;
    let [(disabled, Some(_)), (removed, None)] = writes.as_slice() else {
        panic!("{writes:?}");
    };
    assert_eq!(
        (disabled.as_str(), removed.as_str()),
        ("entry:b", "entry:c")
    );
    assert_eq!(outlook.plan.len(), 1);
}

#[tokio::test]
async fn what_nobody_has_written_yet_stays_unsettled() {
    let backends = MemoryBroker::new().backends();
    let beat = beat(&backends, &json!({"a": {"task": "t", "schedule": 10}}));
    let (mut outlook, writes) = to_write(&beat).await;
    for is_settled in [false, true] {
        let settling = outlook.examine(&beat, 10).await.unwrap();
        outlook.settled_by_others(settling);
        assert_eq!(outlook.is_unsettled(), !is_settled);
        assert_eq!(outlook.plan.next_due().is_some(), is_settled);
        commit(&backends, writes.clone()).await;
    }
}

#[tokio::test]
async fn an_unreadable_record_is_unsettled() {
    let backends = MemoryBroker::new().backends();
    let beat = beat(&backends, &json!({"a": {"task": "t", "schedule": 10}}));
    commit(
        &backends,
        vec![("entry:a".to_owned(), Some("nonsense".into()))],
    )
    .await;
    let (mut outlook, writes) = to_write(&beat).await;
    assert_eq!((outlook.plan.len(), writes.len()), (1, 1));
    assert_eq!(outlook.plan.next_due(), None);
}

/// One entry of a source that keeps runs, edited once and told of none.
#[derive(Debug)]
struct Edited(AtomicBool);

#[async_trait]
impl Source for Edited {
    async fn version(&self) -> Result<String, SourceError> {
        Ok(self.is_edited().to_string())
    }

    async fn load(&self) -> Result<ScheduleFile, SourceError> {
        let map = json!({"a": {"task": "t", "schedule": 10}});
        let map: Map = from_value(to_value(&map).unwrap()).unwrap();
        let mut schedule = ScheduleFile::read(&map, "UTC");
        let edited_at = if self.is_edited() { 200 } else { 0 };
        schedule.entries[0].kept = Some(Box::new(Kept {
            changed_at: Timestamp::from_second(edited_at).unwrap(),
            last_run_at: None,
            total_run_count: 0,
        }));
        Ok(schedule)
    }

    fn keeps_runs(&self) -> bool {
        true
    }
}

impl Edited {
    fn is_edited(&self) -> bool {
        self.0.load(Relaxed)
    }
}

#[tokio::test(start_paused = true)]
async fn runs_before_an_edit_that_forgot_them_are_not_told() {
    let backends = MemoryBroker::new().backends();
    let source = Arc::new(Edited(false.into()));
    let beat = beat_on(&backends, source.clone());
    let entry = source.load().await.unwrap().entries.remove(0);
    let ran = EntryState {
        last_run_at: Some(Timestamp::from_second(100).unwrap()),
        total_run_count: 1,
        ..EntryState::new(&entry, Timestamp::from_second(100).unwrap())
    };
    let record = crate::state::encode(&ran);
    commit(&backends, vec![("entry:a".to_owned(), Some(record))]).await;
    let mut outlook = Outlook::read(&beat).await.unwrap();
    assert!(!beat.keeper().is_empty(), "the leader before did not tell");
    source.0.store(true, Relaxed);
    while !outlook.is_unsettled() {
        outlook.following.changed().await;
        outlook.follow(&beat, 10).await;
    }
    outlook.examine(&beat, 10).await.unwrap();
    assert!(beat.keeper().is_empty());
}
