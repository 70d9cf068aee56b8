//! The finance schedules' recorded fire times: clock changes, holidays, half days. Another set is used when `CELERIAC_ORACLES` names its folder.

use std::path::Path;

use beat::ScheduleFile;
use jiff::Timestamp;
use protocol::{Map, from_value, to_value};
use serde_json::{Value, json};

/// The oracle's schedule in the form of the settings.
fn setting(oracle: &Value) -> Value {
    let mut fields = oracle.as_object().unwrap().clone();
    let zone = fields.remove("tz").unwrap_or_else(|| json!("UTC"));
    let schedule = match fields.remove("type").unwrap().as_str().unwrap() {
        "interval" => json!({ "every": fields["seconds"] }),
        "crontab" => json!({ "crontab": fields }),
        "market" => {
            fields.insert("market".to_owned(), fields["calendar"].clone());
            fields.remove("calendar");
            if let Some(minutes) = fields.remove("every_minutes") {
                fields.insert("every".to_owned(), json!(format!("{minutes}m")));
            }
            Value::Object(fields)
        }
        other => panic!("unknown kind {other}"),
    };
    json!({ "entry": { "task": "t", "schedule": schedule, "timezone": zone } })
}

#[test]
fn the_finance_schedules_fire_when_recorded() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/oracles");
    let mut recording = testkit::load_json("CELERIAC_ORACLES", &fixtures, "schedules.json");
    let cases = recording["cases"].take();
    for case in cases.as_array().unwrap() {
        let schedule = &case["input"]["schedule"];
        let entries: Map = from_value(to_value(&setting(schedule)).unwrap()).unwrap();
        let file = ScheduleFile::read(&entries, "UTC");
        assert!(file.problems.is_empty(), "{:?}", file.problems);
        let time =
            |name: &str| -> Timestamp { case["input"][name].as_str().unwrap().parse().unwrap() };
        let (from, to) = (time("from"), time("to"));
        let counts_as_run = schedule["type"] == "interval";
        let mut last = if counts_as_run {
            from
        } else {
            from - jiff::Span::new().nanoseconds(1)
        };
        let fires = std::iter::from_fn(|| {
            last = file.entries[0].next_after(last).filter(|next| *next < to)?;
            Some(last.to_string())
        });
        let fires: Vec<String> = fires.collect();
        assert_eq!(json!(fires), case["expected"]["fires"], "{}", case["title"]);
    }
    println!(
        "oracle schedules.json in memory: {} cases",
        cases.as_array().unwrap().len()
    );
}
