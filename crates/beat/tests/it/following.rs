//! Schedules that are edited while a beat runs on them.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use async_trait::async_trait;
use beat::{Role, ScheduleFile, Source, SourceError, Sources, StoredSchedule};
use protocol::to_value;
use serde_json::json;

use super::stage::{Running, Stage, pass, schedule_file};

fn stored(stage: &Stage) -> StoredSchedule {
    StoredSchedule::new(stage.backends.coordinator.clone(), "UTC")
}

async fn put(stage: &Stage, name: &str, entry: serde_json::Value) {
    let entry = to_value(&entry).unwrap();
    stored(stage).put(name, &entry).await.unwrap();
}

async fn lead(stage: &Stage, settings: &serde_json::Value) -> Running {
    let settings = schedule_file(settings);
    let sources = Sources::new(vec![Arc::new(settings), Arc::new(stored(stage))]);
    let running = stage.follow(stage.backends.clone(), "beat", Arc::new(sources));
    running.beat.wait_for(Role::Leader).await;
    running
}

#[tokio::test(start_paused = true)]
async fn entries_that_are_added_changed_and_deleted_are_followed_within_a_second() {
    let stage = Stage::new();
    let _running = lead(&stage, &json!({})).await;
    pass(100).await;
    assert_eq!(stage.sent_once_each().await, 0);
    put(&stage, "new", json!({"task": "t", "schedule": 10})).await;
    pass(32).await;
    assert_eq!(
        stage.sent_once_each().await,
        3,
        "every ten seconds since it was seen"
    );
    put(&stage, "new", json!({"task": "t", "schedule": 1})).await;
    pass(31).await;
    let sent = stage.sent_once_each().await;
    assert!(
        (33..=34).contains(&sent),
        "{sent}: every second since the change was seen"
    );
    stored(&stage).delete("new").await.unwrap();
    pass(1).await;
    let sent = stage.sent_once_each().await;
    pass(60).await;
    assert_eq!(stage.sent_once_each().await, sent);
}

#[tokio::test(start_paused = true)]
async fn an_entry_of_the_settings_can_be_disabled_and_enabled_and_does_not_catch_up() {
    let stage = Stage::new();
    let _running = lead(&stage, &json!({"tick": {"task": "t", "schedule": 10}})).await;
    pass(21).await;
    stored(&stage).enable("tick", false).await.unwrap();
    pass(1_000).await;
    assert_eq!(stage.sent_once_each().await, 2);
    stored(&stage).enable("tick", true).await.unwrap();
    pass(9).await;
    assert_eq!(stage.sent_once_each().await, 2, "no slot of the past");
    pass(2).await;
    assert_eq!(stage.sent_once_each().await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_the_settings_have_is_a_problem_of_the_stored_entry() {
    let stage = Stage::new();
    put(&stage, "tick", json!({"task": "other", "schedule": 1})).await;
    put(
        &stage,
        "wrong",
        json!({"task": "t", "schedule": "61 * * * *"}),
    )
    .await;
    put(&stage, "no entry", json!("nonsense")).await;
    let _running = lead(&stage, &json!({"tick": {"task": "t", "schedule": 10}})).await;
    pass(31).await;
    assert_eq!(stage.sent_once_each().await, 3, "the good entry goes on");
    let sources = Sources::new(vec![
        Arc::new(schedule_file(
            &json!({"tick": {"task": "t", "schedule": 10}}),
        )),
        Arc::new(stored(&stage)),
    ]);
    let problems = sources.load().await.unwrap().problems;
    let names: Vec<_> = problems
        .iter()
        .map(|problem| problem.entry.as_str())
        .collect();
    assert_eq!(names, ["no entry", "wrong", "tick"]);
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_is_edited_into_nonsense_and_mended_remembers_its_runs() {
    let stage = Stage::new();
    let good = json!({"task": "t", "schedule": 10, "policy": {"max_runs": 3}});
    put(&stage, "tick", good.clone()).await;
    let running = lead(&stage, &json!({})).await;
    pass(21).await;
    assert_eq!(stage.sent_once_each().await, 2);
    let wrong = json!({"task": "t", "schedule": "61 * * * *", "policy": {"max_runs": 3}});
    put(&stage, "tick", wrong).await;
    pass(100).await;
    // Nor does a beat that never knew the good one take the record for an orphan.
    running.stop().await;
    let _next = lead(&stage, &json!({})).await;
    pass(100).await;
    put(&stage, "tick", good).await;
    pass(9).await;
    assert_eq!(stage.sent_once_each().await, 2, "no slot of the past");
    pass(100).await;
    assert_eq!(stage.sent_once_each().await, 3, "the third run is the last");
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_is_deleted_while_it_is_nonsense_is_forgotten() {
    let stage = Stage::new();
    let good = json!({"task": "t", "schedule": 10, "policy": {"max_runs": 2}});
    put(&stage, "tick", good.clone()).await;
    let _running = lead(&stage, &json!({})).await;
    pass(31).await;
    assert_eq!(stage.sent_once_each().await, 2);
    put(&stage, "tick", json!("nonsense")).await;
    pass(2).await;
    stored(&stage).delete("tick").await.unwrap();
    pass(2).await;
    put(&stage, "tick", good).await;
    pass(100).await;
    assert_eq!(stage.sent().await.len(), 4, "it begins anew");
}

#[tokio::test(start_paused = true)]
async fn editors_do_not_mix() {
    let stage = Stage::new();
    let edits = (0..20).map(|number| {
        let stored = stored(&stage);
        tokio::spawn(async move {
            let entry = to_value(&json!({"task": "t", "schedule": 10})).unwrap();
            stored.put(&number.to_string(), &entry).await.unwrap();
        })
    });
    for edit in edits.collect::<Vec<_>>() {
        edit.await.unwrap();
    }
    assert_eq!(stored(&stage).definitions().await.unwrap().len(), 20);
}

/// A million entries are not read anew for each edit.
#[tokio::test(start_paused = true)]
async fn an_edit_reads_what_was_edited() {
    let stage = Stage::new();
    let many = (0..2_500).map(|number| {
        let entry = json!({"task": "t", "schedule": 3_600});
        (format!("entry {number}"), to_value(&entry).unwrap())
    });
    stored(&stage).put_all(many).await.unwrap();
    let counted = Arc::new(Counted {
        sources: Sources::new(vec![Arc::new(stored(&stage))]),
        loads: AtomicUsize::new(0),
        named: AtomicUsize::new(0),
    });
    let running = stage.follow(stage.backends.clone(), "beat", counted.clone());
    running.beat.wait_for(Role::Leader).await;
    put(&stage, "new", json!({"task": "t", "schedule": 1})).await;
    stored(&stage).enable("entry 7", false).await.unwrap();
    stored(&stage).delete("entry 8").await.unwrap();
    pass(11).await;
    assert!((9..=10).contains(&stage.sent_once_each().await));
    let metrics = running.beat.metrics_text();
    let expected = "celeriac_beat_entries 2499";
    assert!(metrics.lines().any(|line| line == expected), "{metrics}");
    let counts = (&counted.loads, &counted.named);
    let (loads, named) = (counts.0.load(Relaxed), counts.1.load(Relaxed));
    assert_eq!(loads, 1);
    assert!((1..=3).contains(&named), "{named} names were read");
    for number in 0..1_200 {
        stored(&stage)
            .enable(&format!("entry {number}"), false)
            .await
            .unwrap();
    }
    pass(2).await;
    let metrics = running.beat.metrics_text();
    let expected = "celeriac_beat_entries 1301";
    assert!(metrics.lines().any(|line| line == expected), "{metrics}");
}

/// Counts what is read.
#[derive(Debug)]
struct Counted {
    sources: Sources,
    loads: AtomicUsize,
    named: AtomicUsize,
}

#[async_trait]
impl Source for Counted {
    async fn version(&self) -> Result<String, SourceError> {
        self.sources.version().await
    }

    async fn load(&self) -> Result<ScheduleFile, SourceError> {
        self.loads.fetch_add(1, Relaxed);
        self.sources.load().await
    }

    async fn changed(&self, from: &str, to: &str) -> Result<Option<Vec<String>>, SourceError> {
        self.sources.changed(from, to).await
    }

    async fn load_named(&self, names: &[String]) -> Result<ScheduleFile, SourceError> {
        self.named.fetch_add(names.len(), Relaxed);
        self.sources.load_named(names).await
    }
}

/// A source that can go away.
#[derive(Debug, Default)]
struct Shaky {
    is_gone: AtomicBool,
}

#[async_trait]
impl Source for Shaky {
    async fn version(&self) -> Result<String, SourceError> {
        match self.is_gone.load(Relaxed) {
            true => Err("gone".into()),
            false => Ok(String::new()),
        }
    }

    async fn load(&self) -> Result<ScheduleFile, SourceError> {
        Ok(schedule_file(
            &json!({"tick": {"task": "t", "schedule": 10}}),
        ))
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_vanishes_and_comes_back_stops_nothing() {
    let stage = Stage::new();
    let source = Arc::new(Shaky::default());
    let running = stage.follow(stage.backends.clone(), "beat", source.clone());
    running.beat.wait_for(Role::Leader).await;
    source.is_gone.store(true, Relaxed);
    pass(31).await;
    assert_eq!(stage.sent_once_each().await, 3);
    source.is_gone.store(false, Relaxed);
    pass(30).await;
    assert_eq!(stage.sent_once_each().await, 6);
}
