//! Tables that somebody has edited by hand: each wrong entry is named with what is wrong, the others go on.

use std::collections::BTreeMap;

use beat::Source;

use super::place::Place;

/// One good entry, and others that differ from it in what the tests change.
const ENTRIES: &str = "
INSERT INTO django_celery_beat_intervalschedule (id, every, period) VALUES (1, 10, 'seconds'), (2, 0, 'seconds'), (3, 1, 'moons');
INSERT INTO django_celery_beat_crontabschedule (id, minute, hour, day_of_week, day_of_month, month_of_year, timezone) VALUES
 (1, '61', '*', '*', '*', '*', 'UTC'), (2, '0', '4', '*', '30', '2', 'UTC'), (3, '0', '4', '*', '*', '*', 'Mars/Olympus'),
 (4, '0', '4', '7', '*', '*', 'UTC');
";

fn row(name: &str, columns: &[(&str, &str)]) -> String {
    let mut row: BTreeMap<&str, &str> = [
        ("task", "'t'"),
        ("args", "'[]'"),
        ("kwargs", "'{}'"),
        ("headers", "'{}'"),
        ("enabled", "TRUE"),
        ("one_off", "FALSE"),
        ("total_run_count", "0"),
        ("date_changed", "'2026-11-20 12:00:00'"),
        ("description", "''"),
        ("interval_id", "1"),
    ]
    .into();
    row.extend(columns.iter().copied());
    let (names, values): (Vec<&str>, Vec<&str>) = row.into_iter().unzip();
    format!(
        "INSERT INTO django_celery_beat_periodictask (name, {}) VALUES (\"{name}\", {});\n",
        names.join(", "),
        values.join(", ")
    )
    .replace('"', "\u{27}")
}

async fn problems(place: &Place) -> BTreeMap<String, String> {
    let schedule = place.tables().load().await.unwrap();
    let names: Vec<_> = schedule
        .entries
        .iter()
        .map(|entry| entry.name.as_str())
        .collect();
    assert_eq!(names, ["good"], "the others go on: {:?}", schedule.problems);
    let named = schedule.problems.into_iter();
    named
        .map(|problem| (problem.entry.clone(), problem.to_string()))
        .collect()
}

fn assert_named(problems: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    for (entry, part) in expected {
        let problem = problems.get(*entry).map_or("", String::as_str);
        assert!(problem.contains(part), "{entry}: {problem:?} has {part:?}");
    }
    assert_eq!(problems.len(), expected.len(), "{problems:?}");
}

/// An entry's name, the columns that are wrong with their SQL, and a part of what is said of it.
type Wrong = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

/// What both servers let somebody write.
const WRONG: [Wrong; 11] = [
    ("args", &[("args", "'[1,'")], "field args"),
    ("args of another form", &[("args", "'{}'")], "field args"),
    ("kwargs", &[("kwargs", "'[]'")], "field kwargs"),
    ("headers", &[("headers", "'3'")], "field options"),
    (
        "no schedule",
        &[("interval_id", "NULL")],
        "exactly one of interval",
    ),
    (
        "two schedules",
        &[("crontab_id", "3")],
        "must be set, not 2",
    ),
    ("zero", &[("interval_id", "2")], "shorter than"),
    (
        "period",
        &[("interval_id", "3")],
        "no period of an interval",
    ),
    (
        "minute 61",
        &[("interval_id", "NULL"), ("crontab_id", "1")],
        "minute",
    ),
    (
        "30 February",
        &[("interval_id", "NULL"), ("crontab_id", "2")],
        "never occurs",
    ),
    (
        "zone",
        &[("interval_id", "NULL"), ("crontab_id", "3")],
        "field timezone",
    ),
];

async fn wrong_entries_are_named(place: Place, more: &[Wrong]) {
    let wrong: Vec<_> = WRONG.iter().chain(more).collect();
    let rows: String = wrong
        .iter()
        .map(|(name, columns, _)| row(name, columns))
        .collect();
    place
        .sql(&format!("{ENTRIES}{}{rows}", row("good", &[])))
        .await;
    let expected: Vec<_> = wrong.iter().map(|(name, _, part)| (*name, *part)).collect();
    assert_named(&problems(&place).await, &expected);
}

#[tokio::test]
async fn wrong_entries_are_named_on_postgres() {
    let weekday: Wrong = (
        "weekday 7",
        &[("interval_id", "NULL"), ("crontab_id", "4")],
        "day_of_week",
    );
    wrong_entries_are_named(Place::postgres().created().await, &[weekday]).await;
}

/// SQLite holds any text in any column.
#[tokio::test]
async fn wrong_entries_are_named_on_sqlite() {
    let more: [Wrong; 6] = [
        (
            "dangling",
            &[("interval_id", "77")],
            "the interval 77 does not exist",
        ),
        (
            "enabled",
            &[("enabled", "'perhaps'")],
            "neither true nor false",
        ),
        (
            "last run",
            &[("last_run_at", "'yesterday'")],
            "field last_run_at",
        ),
        ("start", &[("start_time", "'soon'")], "field start_time"),
        ("changed", &[("date_changed", "''")], "field date_changed"),
        ("priority", &[("priority", "'high'")], "field priority"),
    ];
    wrong_entries_are_named(Place::sqlite().created().await, &more).await;
}
