//! Tables that somebody edits by hand: nothing touches `last_update` or `date_changed`. What has changed is named, and nothing else is.

use std::time::Instant;

use beat::{Ran, Source, Store};
use beat_sql::Tables;
use jiff::{SignedDuration, Timestamp};
use sqlx::Connection as _;

use super::place::{Place, Running, until};

/// So many other entries are there; nobody should name them.
const OTHERS: usize = 40;

/// Two entries on one crontab, one on an interval, one beside the tables, and others.
const ENTRIES: &str = "
INSERT INTO django_celery_beat_intervalschedule (id, every, period) VALUES (1, 3600, 'seconds'), (2, 7200, 'seconds');
INSERT INTO django_celery_beat_crontabschedule (id, minute, hour, day_of_week, day_of_month, month_of_year, timezone) VALUES
 (1, '0', '4', '*', '*', '*', 'UTC');
INSERT INTO celeriac_beat_entry (name, definition, date_changed) VALUES
 ('beside', '{\"task\": \"t\", \"schedule\": {\"cron\": \"0 0 3 * * *\"}}', '2026-11-20 12:00:00');
";

fn rows(count: usize) -> String {
    let insert = |id: usize, name: &str, interval: &str, crontab: &str| {
        format!(
            "INSERT INTO django_celery_beat_periodictask (id, name, task, args, kwargs, headers, one_off, enabled, \
             total_run_count, date_changed, description, interval_id, crontab_id) VALUES \
             ({id}, '{name}', 't', '[]', '{{}}', '{{}}', FALSE, TRUE, 0, '2026-11-20 12:00:00', '', {interval}, {crontab});\n"
        )
    };
    let mut rows: String = (0..count)
        .map(|number| insert(100 + number, &format!("other-{number}"), "2", "NULL"))
        .collect();
    rows += &insert(1, "one", "1", "NULL");
    rows += &insert(2, "night", "NULL", "1");
    rows += &insert(3, "nightly", "NULL", "1");
    rows
}

/// What somebody does, and whom it concerns.
const EDITS: [(&str, &[&str]); 13] = [
    (
        "UPDATE django_celery_beat_periodictask SET task = 'u' WHERE id = 1",
        &["one"],
    ),
    (
        "UPDATE django_celery_beat_periodictask SET args = '[1]' WHERE name = 'one'",
        &["one"],
    ),
    (
        "UPDATE django_celery_beat_periodictask SET queue = 'low' WHERE id = 2",
        &["night"],
    ),
    (
        "UPDATE django_celery_beat_periodictask SET enabled = FALSE WHERE id = 2",
        &["night"],
    ),
    (
        "UPDATE django_celery_beat_intervalschedule SET every = 1800 WHERE id = 1",
        &["one"],
    ),
    (
        "UPDATE django_celery_beat_crontabschedule SET minute = '30' WHERE id = 1",
        &["night", "nightly"],
    ),
    (
        "UPDATE django_celery_beat_periodictask SET interval_id = 2 WHERE id = 1",
        &["one"],
    ),
    (
        "UPDATE django_celery_beat_periodictask SET name = 'won' WHERE id = 1",
        &["one", "won"],
    ),
    (
        "UPDATE django_celery_beat_periodictask SET total_run_count = 5, last_run_at = '2026-11-20 13:00:00' WHERE id = 3",
        &[],
    ),
    (
        "INSERT INTO celeriac_beat_entry (name, definition, date_changed) VALUES ('night', '{\"policy\": {\"overlap\": \"skip\"}}', '2026-11-20 12:00:00')",
        &["night"],
    ),
    (
        "UPDATE celeriac_beat_entry SET definition = '{\"task\": \"u\", \"schedule\": 5}' WHERE name = 'beside'",
        &["beside"],
    ),
    ("DELETE FROM celeriac_beat_entry", &["beside", "night"]),
    (
        "DELETE FROM django_celery_beat_periodictask WHERE id = 2; \
         UPDATE django_celery_beat_periodictask SET id = 7, name = 'seven' WHERE id = 3",
        &["night", "nightly", "seven"],
    ),
];

async fn edited(tables: &Tables, known: &mut String) -> Vec<String> {
    let version = tables.version().await.unwrap();
    let names = tables.changed(known, &version).await.unwrap();
    let mut names = names.expect("few changes are remembered");
    names.sort();
    names.dedup();
    assert_eq!(version == *known, names.is_empty(), "{names:?}");
    *known = version;
    names
}

async fn what_is_edited_is_named(place: Place) {
    place.sql(&format!("{ENTRIES}{}", rows(OTHERS))).await;
    let tables = place.tables();
    let mut known = tables.version().await.unwrap();
    assert_eq!(tables.load().await.unwrap().entries.len(), OTHERS + 4);
    assert!(edited(&tables, &mut known).await.is_empty());
    for (edit, names) in EDITS {
        place.sql(edit).await;
        assert_eq!(edited(&tables, &mut known).await, names, "{edit}");
        assert!(edited(&tables, &mut known).await.is_empty(), "{edit}");
    }
    let named = ["seven", "night", "other-7"].map(str::to_owned);
    let read = tables.load_named(&named).await.unwrap();
    let mut names: Vec<_> = read
        .entries
        .iter()
        .map(|entry| entry.name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["other-7", "seven"], "what is gone is not there");
}

#[tokio::test]
async fn what_is_edited_by_hand_is_named_on_sqlite() {
    what_is_edited_is_named(Place::sqlite().created().await).await;
}

#[tokio::test]
async fn what_is_edited_by_hand_is_named_on_postgres() {
    what_is_edited_is_named(Place::postgres().created().await).await;
}

/// A transaction that began before a look, a savepoint within it, and others that ended in between.
#[tokio::test]
async fn an_edit_that_is_committed_late_is_named_on_postgres() {
    let place = Place::postgres().created().await;
    place.sql(&format!("{ENTRIES}{}", rows(OTHERS))).await;
    let tables = place.tables();
    let mut known = tables.version().await.unwrap();
    let mut connection = sqlx::PgConnection::connect(&place.url()).await.unwrap();
    let mut late = connection.begin().await.unwrap();
    sqlx::query("UPDATE django_celery_beat_periodictask SET task = 'u' WHERE id = 3")
        .execute(&mut *late)
        .await
        .unwrap();
    let mut nested = late.begin().await.unwrap();
    sqlx::query("UPDATE django_celery_beat_periodictask SET task = 'u' WHERE id = 1")
        .execute(&mut *nested)
        .await
        .unwrap();
    nested.commit().await.unwrap();
    place
        .sql("UPDATE django_celery_beat_periodictask SET task = 'u' WHERE id = 2")
        .await;
    assert_eq!(edited(&tables, &mut known).await, ["night"]);
    late.commit().await.unwrap();
    assert_eq!(edited(&tables, &mut known).await, ["nightly", "one"]);
}

async fn an_edit_among_very_many(place: Place, series: &str) {
    let many = format!(
        "{ENTRIES}INSERT INTO django_celery_beat_periodictask (name, task, args, kwargs, headers, one_off, enabled, \
         total_run_count, date_changed, description, interval_id) SELECT 'entry-' || number, 't', '[]', '{{}}', '{{}}', FALSE, TRUE, \
         0, '2026-11-20 12:00:00', '', 2 FROM ({series}) AS numbers;"
    );
    place.sql(&many).await;
    let tables = place.tables();
    let began = Instant::now();
    let mut known = tables.version().await.unwrap();
    let first = began.elapsed();
    // One that is gone is found by counting.
    place
        .sql("DELETE FROM django_celery_beat_periodictask WHERE name = 'entry-99999'")
        .await;
    let began = Instant::now();
    assert_eq!(edited(&tables, &mut known).await, ["entry-99999"]);
    let gone = began.elapsed();
    place
        .sql("UPDATE django_celery_beat_periodictask SET args = '[1]' WHERE name = 'entry-77777'")
        .await;
    let began = Instant::now();
    // On a slow machine comparing pauses for as long as it takes.
    while tables.version().await.unwrap() == known {
        tokio::task::yield_now().await;
    }
    assert_eq!(edited(&tables, &mut known).await, ["entry-77777"]);
    let named = ["entry-77777".to_owned()];
    assert_eq!(tables.load_named(&named).await.unwrap().entries.len(), 1);
    let edit = began.elapsed();
    let began = Instant::now();
    assert!(edited(&tables, &mut known).await.is_empty());
    println!(
        "100,000 entries: {first:?} at first, {gone:?} for one that is gone, {edit:?} for an edit, {:?} for nothing",
        began.elapsed()
    );
}

#[tokio::test]
async fn an_edit_among_very_many_is_found_on_sqlite() {
    let series = "WITH RECURSIVE n(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM n WHERE number < 100000) SELECT number FROM n";
    an_edit_among_very_many(Place::sqlite().created().await, series).await;
}

#[tokio::test]
async fn an_edit_among_very_many_is_found_on_postgres() {
    let series = "SELECT generate_series(1, 100000) AS number";
    an_edit_among_very_many(Place::postgres().created().await, series).await;
}

async fn runs_are_no_edits(place: Place) {
    place.sql(&format!("{ENTRIES}{}", rows(OTHERS))).await;
    let tables = place.tables();
    let mut known = tables.version().await.unwrap();
    for second in 1..4 {
        let at = Timestamp::now() + SignedDuration::from_secs(second);
        let ran = Ran {
            name: "one".to_owned(),
            last_run_at: at,
            total_run_count: second.unsigned_abs(),
        };
        tables.keep_runs(&[ran], at).await.unwrap();
        assert!(edited(&tables, &mut known).await.is_empty());
    }
    place
        .sql("UPDATE django_celery_beat_periodictask SET one_off = TRUE WHERE id = 1")
        .await;
    assert_eq!(edited(&tables, &mut known).await, ["one"]);
    tables.keep_runs(&[], Timestamp::now()).await.unwrap();
    assert_eq!(edited(&tables, &mut known).await, ["one"], "it is put away");
    tables.enable("night", false).await.unwrap();
    assert_eq!(edited(&tables, &mut known).await, ["night"], "by itself");
}

#[tokio::test]
async fn runs_are_no_edits_on_sqlite() {
    runs_are_no_edits(Place::sqlite().created().await).await;
}

#[tokio::test]
async fn runs_are_no_edits_on_postgres() {
    runs_are_no_edits(Place::postgres().created().await).await;
}

/// A table is edited into nonsense and mended while a beat runs on it.
async fn a_running_beat_follows(place: Place) {
    place.sql(&format!("{ENTRIES}{}", rows(OTHERS))).await;
    let running = Running::start(&place);
    let sent_as = async |task: &str| {
        let sent = running.sent().await;
        let is_it = |message: &protocol::Message| message.headers.task.as_deref() == Some(task);
        sent.iter().filter(|message| is_it(message)).count()
    };
    until("it leads", async || running.state("one").await.is_some()).await;
    place
        .sql("UPDATE django_celery_beat_intervalschedule SET every = 1 WHERE id = 1")
        .await;
    until("the interval is followed", async || sent_as("t").await >= 2).await;
    place
        .sql("UPDATE django_celery_beat_periodictask SET task = 'u' WHERE id = 1")
        .await;
    until("the task is followed", async || sent_as("u").await >= 2).await;
    place
        .sql("UPDATE django_celery_beat_periodictask SET args = 'nonsense' WHERE id = 1")
        .await;
    until("a wrong entry is left out", async || {
        running
            .state("one")
            .await
            .is_some_and(|state| state.disabled)
    })
    .await;
    assert!(running.state("night").await.is_some(), "the others go on");
    place
        .sql("UPDATE django_celery_beat_periodictask SET args = '[]', task = 'v' WHERE id = 1")
        .await;
    until("a mended entry goes on", async || sent_as("v").await >= 2).await;
    running.stop().await;
}

#[tokio::test]
async fn a_running_beat_follows_plain_sql_on_sqlite() {
    a_running_beat_follows(Place::sqlite().created().await).await;
}

#[tokio::test]
async fn a_running_beat_follows_plain_sql_on_postgres() {
    a_running_beat_follows(Place::postgres().created().await).await;
}
