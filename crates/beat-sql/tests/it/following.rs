//! A Django admin edits, and a running beat follows.

use std::collections::BTreeSet;

use super::place::{Place, Running, until};

const ADD: &str = r#"
second, _ = IntervalSchedule.objects.get_or_create(every=1, period="seconds")
PeriodicTask.objects.create(name="tick", task="proj.tick", interval=second, args="[1]", kwargs='{"a": "b"}', priority=3,
                            queue="celery", headers='{"x": "y"}', expire_seconds=900)
"#;
const CHANGE: &str = r#"
tick = PeriodicTask.objects.get(name="tick")
tick.task = "proj.other"
tick.save()
"#;
const DISABLE: &str = r#"
tick = PeriodicTask.objects.get(name="tick")
tick.enabled = False
tick.save()
"#;
const DELETE: &str = r#"PeriodicTask.objects.get(name="tick").delete()"#;

async fn edits_are_followed(place: Place) {
    let running = Running::start(&place);
    place.django(ADD).await;
    until("the new entry is sent", async || {
        !running.sent().await.is_empty()
    })
    .await;
    let message = running.sent().await.remove(0);
    assert_eq!(message.headers.task.as_deref(), Some("proj.tick"));
    assert_eq!(message.properties.priority, Some(3));
    assert!(message.headers.expires.is_some());
    let header = |name: &str| {
        message
            .headers
            .extra
            .get(name)
            .and_then(|value| value.as_str().map(str::to_owned))
    };
    assert_eq!(header("periodic_task_name").as_deref(), Some("tick"));
    assert_eq!(header("x").as_deref(), Some("y"));

    place.django(CHANGE).await;
    let is_changed = async || {
        running
            .sent()
            .await
            .iter()
            .any(|message| message.headers.task.as_deref() == Some("proj.other"))
    };
    until("the changed entry is sent", is_changed).await;

    place.django(DISABLE).await;
    let is_disabled = async || {
        running
            .state("tick")
            .await
            .is_some_and(|state| state.disabled)
    };
    until("the disabled entry is left out", is_disabled).await;
    // The count is Django's affair, which may have saved one that was read before the last run.
    let sent = running.sent().await;
    let ids: BTreeSet<_> = sent.iter().map(|message| &message.headers.id).collect();
    assert_eq!(ids.len(), sent.len(), "each slot once");

    place.django(DELETE).await;
    until("the deleted entry is forgotten", async || {
        running.state("tick").await.is_none()
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn a_django_admins_edits_are_followed_on_sqlite() {
    edits_are_followed(Place::sqlite().migrated().await).await;
}

#[tokio::test]
async fn a_django_admins_edits_are_followed_on_postgres() {
    edits_are_followed(Place::postgres().created().await).await;
}

/// Nothing touches `last_update` here.
#[tokio::test]
async fn an_entry_that_plain_sql_disables_is_followed_too() {
    let place = Place::postgres().created().await;
    place.django(ADD).await;
    let running = Running::start(&place);
    until("the entry is sent", async || {
        !running.sent().await.is_empty()
    })
    .await;
    place
        .sql("UPDATE django_celery_beat_periodictask SET enabled = FALSE")
        .await;
    let is_disabled = async || {
        running
            .state("tick")
            .await
            .is_some_and(|state| state.disabled)
    };
    until("the disabled entry is left out", is_disabled).await;
    running.stop().await;
}
