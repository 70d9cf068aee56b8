//! The rows that `schedule list` and `schedule next` show, and the heartbeat.

use beat::{Clock, Role, heartbeat, rows};
use serde_json::json;

use super::stage::{LEASE, Stage, pass, schedule_file};

#[tokio::test(start_paused = true)]
async fn rows_tell_past_and_future() {
    let schedule = json!({
        "off": {"task": "t", "schedule": 60, "enabled": false},
        "broken": {"task": "t", "schedule": "nonsense"},
        "hourly": {"task": "t", "schedule": "0 * * * *", "timezone": "Europe/London"},
        "often": {"task": "t", "schedule": 60},
    });
    let stage = Stage::new();
    let _beat = stage.start("beat", &schedule);
    pass(200).await;
    let rows = rows(
        &*stage.backends.coordinator,
        &schedule_file(&schedule),
        stage.clock.now(),
        3,
    )
    .await
    .unwrap();
    let names: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["often", "hourly", "off", "broken"]);
    assert_eq!(
        (
            rows[0].total_run_count,
            rows[0].last_run_at.is_some(),
            rows[0].next.len()
        ),
        (3, true, 3)
    );
    assert_eq!(rows[1].next[0], "2026-11-20T13:00:00Z".parse().unwrap());
    assert_eq!(
        (rows[1].timezone.as_str(), rows[1].schedule.as_str()),
        ("Europe/London", "0 * * * *")
    );
    assert!(rows[2].next.is_empty() && !rows[2].enabled);
    assert!(
        rows[3]
            .problem
            .as_ref()
            .is_some_and(|problem| problem.contains("five fields"))
    );
}

#[tokio::test(start_paused = true)]
async fn the_heartbeat_goes_on_while_a_beat_leads() {
    let stage = Stage::new();
    let coordinator = &*stage.backends.coordinator;
    assert_eq!(heartbeat(coordinator).await.unwrap(), None);
    let running = stage.start("beat", &json!({"a": {"task": "t", "schedule": 3600}}));
    running.beat.wait_for(Role::Leader).await;
    pass(100).await;
    let beat = heartbeat(coordinator).await.unwrap().unwrap();
    assert_eq!((beat.name.as_str(), beat.entries), ("beat", 1));
    assert!(stage.clock.now().duration_since(beat.at) <= LEASE.try_into().unwrap());
}
