//! Celery's own DatabaseScheduler and our beat take the same tables over from each other.

use beat::Store;
use jiff::SignedDuration;
use protocol::to_value;
use serde_json::json;

use super::place::{Place, Running, entry, state, until};

/// Celery's scheduler runs until it has sent twice, and prints the entry as it is before and after.
const CELERY: &str = r#"
import time
from celery import Celery
from django_celery_beat.schedulers import DatabaseScheduler

def shown():
    task = PeriodicTask.objects.get(name="tick")
    return [task.total_run_count, task.last_run_at.timestamp(), task.enabled]

before = shown()
app = Celery(broker="memory://")
scheduler = DatabaseScheduler(app=app)
sent, send = [], scheduler.apply_async
def counting(entry, *args, **kwargs):
    sent.append(entry.name)
    return send(entry, *args, **kwargs)
scheduler.apply_async = counting
end = time.monotonic() + 60
while len(sent) < 2 and time.monotonic() < end:
    time.sleep(max(0, min(scheduler.tick(), 0.2)))
scheduler.sync()
print(json.dumps({"sent": sent, "before": before, "after": shown()}))
"#;

async fn schedulers_take_over_from_each_other(place: Place) {
    let tables = place.tables();
    let tick = to_value(&json!({"task": "proj.tick", "schedule": 2, "args": [1]})).unwrap();
    tables.put("tick", &tick).await.unwrap();
    let running = Running::start(&place);
    until("ours sends", async || running.sent().await.len() >= 2).await;
    let backends = running.stop().await;
    let ours = state(&backends, "tick").await.unwrap();

    let told: serde_json::Value = serde_json::from_str(&place.django(CELERY).await).unwrap();
    assert_eq!(told["sent"], json!(["tick", "tick"]));
    assert_eq!(
        told["before"][0],
        json!(ours.total_run_count),
        "Celery counts on from ours"
    );
    let seen = told["before"][1].as_f64().unwrap();
    let last = ours.last_run_at.unwrap();
    assert!(
        (seen - last.as_microsecond() as f64 / 1e6).abs() < 0.001,
        "{seen} is {last}"
    );
    assert_eq!(told["after"][0], json!(ours.total_run_count + 2));

    let celerys = entry(&place, "tick").await.kept.unwrap();
    let running = Running::start_on(&place, backends);
    let count = celerys.total_run_count + 1;
    let goes_on = async || {
        running
            .state("tick")
            .await
            .is_some_and(|state| state.total_run_count >= count)
    };
    until("ours goes on", goes_on).await;
    let history = running.state("tick").await.unwrap().history;
    let next = history.iter().find(|slot| slot.slot > last).unwrap();
    let earliest = celerys.last_run_at.unwrap() + SignedDuration::from_secs(2);
    assert!(
        next.slot >= earliest,
        "{} is no slot that Celery sent",
        next.slot
    );
    running.stop().await;
    let kept = entry(&place, "tick").await.kept.unwrap();
    assert!(kept.total_run_count >= count, "{kept:?}");
}

#[tokio::test]
async fn schedulers_take_over_from_each_other_on_sqlite() {
    schedulers_take_over_from_each_other(Place::sqlite().created().await).await;
}

#[tokio::test]
async fn schedulers_take_over_from_each_other_on_postgres() {
    schedulers_take_over_from_each_other(Place::postgres().migrated().await).await;
}

#[tokio::test]
async fn a_one_off_entry_runs_once_and_is_put_away_as_by_celery() {
    let place = Place::sqlite().migrated().await;
    let add = r#"
from django.utils import timezone
soon, _ = ClockedSchedule.objects.get_or_create(clocked_time=timezone.now())
PeriodicTask.objects.create(name="once", task="proj.once", clocked=soon, one_off=True)
second, _ = IntervalSchedule.objects.get_or_create(every=1, period="seconds")
PeriodicTask.objects.create(name="over", task="proj.over", interval=second, expires=timezone.now())
"#;
    place.django(add).await;
    let running = Running::start(&place);
    for name in ["once", "over"] {
        until("it is put away", async || {
            !entry(&place, name).await.enabled
        })
        .await;
    }
    let sent = running.sent().await;
    assert_eq!(sent.len(), 1, "what is expired is not sent");
    assert_eq!(sent[0].headers.task.as_deref(), Some("proj.once"));
    let kept = entry(&place, "once").await.kept.unwrap();
    assert_eq!((kept.total_run_count, kept.last_run_at), (0, None));
    let disabled = async || {
        running
            .state("once")
            .await
            .is_some_and(|state| state.disabled)
    };
    until("it is followed", disabled).await;
    place.django("PeriodicTask.objects.filter(name='once').update(enabled=True); PeriodicTasks.update_changed()").await;
    let enabled = async || {
        running
            .state("once")
            .await
            .is_some_and(|state| !state.disabled)
    };
    until("it is enabled", enabled).await;
    assert_eq!(running.sent().await.len(), 1, "its only slot is over");
    running.stop().await;
}
