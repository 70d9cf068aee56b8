//! One of many beats leads; who follows goes on where the leader stopped. All on a paused clock.

use beat::Role;
use protocol::Value;
use serde_json::json;

use super::stage::{LEASE, Stage, leave_the_grid, pass};

fn every_second() -> serde_json::Value {
    json!({"tick": {"task": "t", "schedule": 1}})
}

#[tokio::test(start_paused = true)]
async fn slots_are_sent_on_their_grid_and_never_at_the_start() {
    let stage = Stage::new();
    let _beat = stage.start(
        "one",
        &json!({
            "fast": {"task": "t", "schedule": 10},
            "minutely": {"task": "t", "schedule": "* * * * *"},
        }),
    );
    pass(9).await;
    assert!(stage.sent().await.is_empty(), "nothing is due yet");
    pass(112).await;
    assert_eq!(
        stage.counts().await,
        [("fast".to_owned(), 12), ("minutely".to_owned(), 2)].into()
    );
}

#[tokio::test(start_paused = true)]
async fn of_two_beats_one_sends() {
    let stage = Stage::new();
    let first = stage.start("first", &every_second());
    first.beat.wait_for(Role::Leader).await;
    let second = stage.start("second", &every_second());
    second.beat.wait_for(Role::Standby).await;
    leave_the_grid().await;
    pass(60).await;
    assert_eq!(
        (first.beat.role(), second.beat.role()),
        (Role::Leader, Role::Standby)
    );
    assert_eq!(stage.sent_once_each().await, 60);
}

#[tokio::test(start_paused = true)]
async fn a_standby_takes_over_from_a_dead_leader_and_catches_up_once() {
    let stage = Stage::new();
    let first = stage.start("first", &every_second());
    first.beat.wait_for(Role::Leader).await;
    let second = stage.start("second", &every_second());
    leave_the_grid().await;
    pass(20).await;
    assert_eq!(stage.sent_once_each().await, 20);
    first.kill();
    let death = tokio::time::Instant::now();
    second.beat.wait_for(Role::Leader).await;
    let gap = death.elapsed();
    assert!(gap <= LEASE + LEASE / 5, "{gap:?} on the paused clock");
    pass(30).await;
    let row = stage.first_row(&every_second()).await;
    let sent = stage.sent_once_each().await as u64;
    assert_eq!(row.total_run_count, sent);
    assert!(
        row.missed > 0 && row.missed <= 12,
        "slots of the gap are counted: {}",
        row.missed
    );
    assert_eq!(
        sent + row.missed,
        20 + gap.as_secs() + 30,
        "every slot was sent or counted"
    );
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_ends_gives_way_at_once() {
    let stage = Stage::new();
    let first = stage.start("first", &every_second());
    first.beat.wait_for(Role::Leader).await;
    let second = stage.start("second", &every_second());
    leave_the_grid().await;
    pass(5).await;
    first.stop().await;
    let end = tokio::time::Instant::now();
    second.beat.wait_for(Role::Leader).await;
    assert!(
        end.elapsed() <= LEASE / 10 + LEASE / 100,
        "{:?} on the paused clock",
        end.elapsed()
    );
    pass(20).await;
    assert_eq!(stage.sent_once_each().await, 25, "no slot was missed");
}

#[tokio::test(start_paused = true)]
async fn a_restart_remembers() {
    let schedule = json!({"slow": {"task": "t", "schedule": 3600}});
    let stage = Stage::new();
    let first = stage.start("first", &schedule);
    pass(3_500).await;
    first.stop().await;
    assert!(stage.sent().await.is_empty());
    let _second = stage.start("second", &schedule);
    pass(101).await;
    assert_eq!(
        stage.sent_once_each().await,
        1,
        "the hour began with the first start"
    );
}

#[tokio::test(start_paused = true)]
async fn a_disabled_entry_is_not_sent_and_does_not_catch_up() {
    let schedule = |enabled: bool| json!({"a": {"task": "t", "schedule": 60, "enabled": enabled}});
    let stage = Stage::new();
    for enabled in [true, false] {
        let beat = stage.start("beat", &schedule(enabled));
        pass(605).await;
        beat.stop().await;
        assert_eq!(stage.sent_once_each().await, 10);
    }
    let _beat = stage.start("beat", &schedule(true));
    pass(59).await;
    assert_eq!(
        stage.sent_once_each().await,
        10,
        "the slots of the disabled time are nobody's"
    );
    pass(2).await;
    assert_eq!(stage.sent_once_each().await, 11);
}

#[tokio::test(start_paused = true)]
async fn messages_are_celerys() {
    let stage = Stage::new();
    let beat = stage.start(
        "beat",
        &json!({"nightly": {
            "task": "app.tasks.report",
            "schedule": 30,
            "args": [1],
            "kwargs": {"full": true},
            "options": {"priority": 3, "expires": 600, "headers": {"x-tenant": "a"}},
        }}),
    );
    pass(31).await;
    beat.stop().await;
    let message = stage.sent().await.remove(0);
    assert_eq!(message.headers.task.as_deref(), Some("app.tasks.report"));
    assert_eq!(
        message.headers.extra.get("celery_beat_task"),
        Some(&Value::Bool(true))
    );
    assert_eq!(
        message.headers.extra.get("periodic_task_name"),
        Some(&"nightly".into())
    );
    assert_eq!(message.headers.extra.get("x-tenant"), Some(&"a".into()));
    assert_eq!(message.properties.priority, Some(3));
    assert!(message.headers.expires.is_some());
    let slot = beat::Clock::now(&stage.clock) - jiff::SignedDuration::from_secs(1);
    let entry = super::stage::schedule_file(&json!({"nightly": {"task": "t", "schedule": 30}}))
        .entries
        .remove(0);
    assert_eq!(
        message.headers.id,
        Some(entry.task_id(slot)),
        "the id is derived from entry and slot"
    );
}
