//! The `beat_schedule` setting: every form is read, every fault is named, and the sound entries go on.

use beat::ScheduleFile;
use client::Expires;
use protocol::{Map, from_value, to_value};
use serde_json::json;
use std::time::Duration;

fn read(schedule: serde_json::Value) -> ScheduleFile {
    let map: Map = from_value(to_value(&schedule).unwrap()).unwrap();
    ScheduleFile::read(&map, "UTC")
}

/// The schedule's text for one entry with this schedule.
fn text(schedule: serde_json::Value) -> String {
    let file = read(json!({"a": {"task": "t", "schedule": schedule}}));
    match file.entries.first() {
        Some(entry) => entry.timetable.schedule.to_string(),
        None => file.problems[0].to_string(),
    }
}

#[test]
fn every_form_of_a_schedule() {
    assert_eq!(text(json!("*/5 8-18 * * mon-fri")), "*/5 8-18 * * mon-fri");
    assert_eq!(text(json!({"crontab": "0 4 * * *"})), "0 4 * * *");
    assert_eq!(
        text(json!({"crontab": {"minute": 0, "hour": "*/2"}})),
        "0 */2 * * *"
    );
    assert_eq!(
        text(json!({"crontab": {"minute": [0, 30], "day_of_week": "sun"}})),
        "0,30 * * * sun"
    );
    assert_eq!(text(json!(30)), "every 30s");
    assert_eq!(text(json!(1.5)), "every 1s 500ms");
    assert_eq!(
        text(json!({"every": "1h 30m", "relative": true})),
        "every 1h 30m, relative"
    );
    assert_eq!(
        text(json!({"cron": "0 30 9 * * MON-FRI"})),
        "0 30 9 * * MON-FRI"
    );
}

#[test]
fn faults_name_entry_and_field() {
    let cases = [
        (json!("0 4 * *"), "schedule", "five fields"),
        (
            json!("0 4 * * 7"),
            "schedule",
            "day_of_week: 7 is not in 0 to 6",
        ),
        (
            json!("0 4 30 2 *"),
            "schedule",
            "day_of_month \"30\" never occurs in month_of_year \"2\"",
        ),
        (json!({"crontab": {"minutes": 5}}), "schedule", "minutes"),
        (json!({"cron": "* * * * *"}), "schedule", "seconds first"),
        (json!(0), "schedule", "shorter than"),
        (json!(-5), "schedule", "shorter than"),
        (
            json!({"every": 5, "cron": "0 0 0 * * *"}),
            "schedule",
            "none or several",
        ),
        (json!({"every": "soon"}), "schedule", "1h 30m"),
        (
            json!({"every": 5, "timezone": "Europe/Atlantis"}),
            "timezone",
            "Europe/Atlantis",
        ),
        (json!(null), "schedule", "null"),
    ];
    for (schedule, field, part) in cases {
        let file = read(json!({"the entry": {"task": "t", "schedule": schedule}}));
        assert!(file.entries.is_empty());
        let text = file.problems[0].to_string();
        assert!(
            text.contains("\"the entry\"") && text.contains(field) && text.contains(part),
            "{text}"
        );
    }
}

#[test]
fn faults_of_other_fields() {
    let cases = [
        (json!({"schedule": 5}), "task"),
        (json!({"task": "t"}), "schedule"),
        (
            json!({"task": "t", "schedule": 5, "arguments": []}),
            "arguments",
        ),
        (json!({"task": "t", "schedule": 5, "kwargs": []}), "kwargs"),
        (
            json!({"task": "t", "schedule": 5, "options": {"que": "a"}}),
            "que",
        ),
        (
            json!({"task": "t", "schedule": 5, "options": {"priority": 10}}),
            "priority",
        ),
        (
            json!({"task": "t", "schedule": 5, "options": {"expires": -1}}),
            "options",
        ),
        (json!("not a table"), "table"),
    ];
    for (entry, part) in cases {
        let file = read(json!({"a": entry}));
        assert!(
            file.problems.len() == 1 && file.problems[0].to_string().contains(part),
            "{:?}",
            file.problems
        );
    }
}

#[test]
fn a_bad_entry_does_not_stop_the_others() {
    let file = read(json!({
        "first": {"task": "t", "schedule": 5},
        "bad": {"task": "t", "schedule": "nonsense"},
        "second": {"task": "t", "schedule": 5, "enabled": false},
    }));
    let names: Vec<_> = file
        .entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.enabled))
        .collect();
    assert_eq!(names, [("first", true), ("second", false)]);
    assert_eq!(file.problems[0].entry, "bad");
}

#[test]
fn an_entry_with_everything() {
    let file = read(json!({"a": {
        "task": "app.tasks.report",
        "schedule": {"crontab": "0 18 * * *", "timezone": "America/New_York"},
        "args": [1, "x"],
        "kwargs": {"full": true},
        "options": {"queue": "analytics", "priority": 3, "expires": 3600, "headers": {"x": 1}},
    }}));
    let entry = &file.entries[0];
    assert_eq!(
        (&*entry.task, entry.timetable.zone_name.as_str()),
        ("app.tasks.report", "America/New_York")
    );
    assert_eq!(
        (
            entry.args.len(),
            entry.kwargs.len(),
            entry.options.headers.len()
        ),
        (2, 1, 1)
    );
    assert_eq!(
        (entry.options.queue.as_deref(), entry.options.priority),
        (Some("analytics"), Some(3))
    );
    assert_eq!(
        entry.options.expires,
        Some(Expires::After(Duration::from_secs(3600)))
    );
    let last = "2026-11-20T12:00:00Z".parse().unwrap();
    assert_eq!(
        entry.next_after(last),
        Some("2026-11-20T18:00:00-05:00".parse().unwrap())
    );
}
