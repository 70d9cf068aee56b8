//! Entries that we write, as we and Django's models read them.

use beat::{Ran, Source, Store};
use jiff::{SignedDuration, Timestamp};
use protocol::{Value, to_value};
use serde_json::json;

use super::place::{Place, entry};

const READ: &str = r#"
from django.core.management import call_command
call_command("migrate", check_unapplied=True, verbosity=0)
call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)
shown = {task.name: [repr(task.schedule) if task.solar is None else str(task.solar), task.one_off, task.enabled, task.queue, task.expire_seconds]
         for task in PeriodicTask.objects.all()}
print(json.dumps(shown))
"#;

fn value(json: serde_json::Value) -> Value {
    to_value(&json).unwrap()
}

async fn put(place: &Place, name: &str, entry: serde_json::Value) {
    place.tables().put(name, &value(entry)).await.unwrap();
}

async fn what_we_write_is_read(place: Place) {
    let policy = json!({"overlap": "skip", "jitter": "5m"});
    put(
        &place,
        "nightly",
        json!({"task": "t", "schedule": "0 2 * * mon-fri", "timezone": "Europe/London",
        "options": {"queue": "low", "expires": 60, "time_limit": 30}, "policy": policy}),
    )
    .await;
    put(
        &place,
        "often",
        json!({"task": "t", "schedule": 90, "enabled": false}),
    )
    .await;
    put(
        &place,
        "sun",
        json!({"task": "t", "schedule": {"solar": "sunset", "latitude": 52.5, "longitude": 13.4}}),
    )
    .await;
    put(
        &place,
        "then",
        json!({"task": "t", "schedule": {"clocked": "2031-12-24T18:00:00Z"}}),
    )
    .await;
    put(
        &place,
        "market",
        json!({"task": "t", "schedule": {"market": "XNYS", "at": "close+30"}}),
    )
    .await;

    let shown: serde_json::Value = serde_json::from_str(&place.django(READ).await).unwrap();
    assert!(
        shown["nightly"][0]
            .as_str()
            .unwrap()
            .contains("Europe/London"),
        "{shown}"
    );
    assert_eq!(
        shown["nightly"].as_array().unwrap()[1..],
        [json!(false), json!(true), json!("low"), json!(60)]
    );
    assert_eq!(shown["often"][0], "<freq: 1.50 minutes>");
    assert_eq!(shown["often"][2], json!(false));
    assert!(
        shown["sun"][0].as_str().unwrap().contains("Sunset"),
        "{shown}"
    );
    assert_eq!(
        shown["then"][1],
        json!(true),
        "Django wants clocked entries to be one-off"
    );
    assert!(
        shown.get("market").is_none(),
        "a row without a schedule would end Celery's scheduler"
    );

    let nightly = entry(&place, "nightly").await;
    assert_eq!(nightly.timing(), "0 2 * * mon-fri [Europe/London]");
    assert_eq!(
        nightly.policy.to_string(),
        "skipped while the last run goes on, jitter 300s"
    );
    assert_eq!(nightly.options.time_limit, Some(30.0));
    assert!(entry(&place, "market").await.timing().contains("XNYS"));
    edits_keep_what_they_do_not_change(&place).await;
}

async fn edits_keep_what_they_do_not_change(place: &Place) {
    let tables = place.tables();
    let mut nightly = tables.definition("nightly").await.unwrap().unwrap();
    let Value::Map(fields) = &mut nightly else {
        panic!("{nightly:?}")
    };
    fields.insert("task", "other");
    tables.put("nightly", &nightly).await.unwrap();
    let nightly = entry(place, "nightly").await;
    assert_eq!(&*nightly.task, "other");
    assert_eq!(nightly.timing(), "0 2 * * mon-fri [Europe/London]");
    assert_eq!(
        nightly.policy.to_string(),
        "skipped while the last run goes on, jitter 300s"
    );

    for (name, enabled) in [("often", true), ("market", false)] {
        let before = tables.version().await.unwrap();
        tables.enable(name, enabled).await.unwrap();
        assert_ne!(tables.version().await.unwrap(), before);
        assert_eq!(entry(place, name).await.enabled, enabled);
        tables.delete(name).await.unwrap();
        assert_eq!(tables.definition(name).await.unwrap(), None);
        assert!(tables.delete(name).await.is_err());
    }
}

#[tokio::test]
async fn what_we_write_is_read_by_django_on_sqlite() {
    what_we_write_is_read(Place::sqlite().created().await).await;
}

#[tokio::test]
async fn what_we_write_is_read_by_django_on_postgres() {
    what_we_write_is_read(Place::postgres().created().await).await;
}

#[tokio::test]
async fn an_entry_that_makes_no_sense_is_not_written() {
    let place = Place::sqlite().created().await;
    let wrong = value(json!({"task": "t", "schedule": "30 2 * *"}));
    let error = place
        .tables()
        .put("wrong", &wrong)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("wrong") && error.contains("schedule"),
        "{error}"
    );
    assert_eq!(place.tables().definition("wrong").await.unwrap(), None);
}

#[tokio::test]
async fn runs_only_go_forward() {
    let place = Place::sqlite().created().await;
    let tables = place.tables();
    put(&place, "tick", json!({"task": "t", "schedule": 10})).await;
    let now = Timestamp::now();
    let version = tables.version().await.unwrap();
    for (seconds, count) in [(20, 2), (10, 1)] {
        let last_run_at = now + SignedDuration::from_secs(seconds);
        let ran = Ran {
            name: "tick".to_owned(),
            last_run_at,
            total_run_count: count,
        };
        tables.keep_runs(&[ran], now).await.unwrap();
    }
    let kept = entry(&place, "tick").await.kept.unwrap();
    assert_eq!(
        kept.total_run_count, 2,
        "a leader that froze comes too late"
    );
    assert_eq!(
        tables.version().await.unwrap(),
        version,
        "runs are no edits"
    );
}

#[tokio::test]
async fn missing_tables_say_who_makes_them() {
    for place in [Place::sqlite(), Place::postgres()] {
        let error = place.tables().load().await.unwrap_err().to_string();
        for remedy in ["manage.py migrate", "celeriac schedule create-tables"] {
            assert!(error.contains(remedy), "{error}");
        }
    }
}
