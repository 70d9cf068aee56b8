//! The recorded fire times of the finance schedules: clock changes, holidays, half days. Another set is used when
//! `CELERIAC_ORACLES` names its folder.

use std::path::Path;

use beat::Entry;
use jiff::Timestamp;
use serde_json::{Value, json};

const FIXTURES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../beat/tests/fixtures/oracles"
);

/// One schedule and when it fired.
pub(crate) struct Case(Value);

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    let mut recording =
        testkit::load_json("CELERIAC_ORACLES", Path::new(FIXTURES), "schedules.json");
    let Value::Array(cases) = recording["cases"].take() else {
        panic!("cases are a list")
    };
    assert!(!cases.is_empty());
    cases.into_iter().map(Case).collect()
}

impl Case {
    pub(crate) fn id(&self) -> &str {
        self.0["id"].as_str().unwrap()
    }

    fn schedule(&self) -> &Value {
        &self.0["input"]["schedule"]
    }

    /// An entry of the schedule in the form of the settings.
    pub(crate) fn setting(&self) -> Value {
        let mut fields = self.schedule().as_object().unwrap().clone();
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
        json!({ "task": "t", "schedule": schedule, "timezone": zone })
    }

    /// Compares the times at which an entry fires with those that are recorded.
    pub(crate) fn check(&self, entry: &Entry) {
        let input = &self.0["input"];
        let time = |name: &str| -> Timestamp { input[name].as_str().unwrap().parse().unwrap() };
        let (from, to) = (time("from"), time("to"));
        let counts_as_run = self.schedule()["type"] == "interval";
        let mut last = if counts_as_run {
            from
        } else {
            from - jiff::Span::new().nanoseconds(1)
        };
        let fires = std::iter::from_fn(|| {
            last = entry.next_after(last).filter(|next| *next < to)?;
            Some(last.to_string())
        });
        let fires: Vec<String> = fires.collect();
        let title = &self.0["title"];
        assert_eq!(json!(fires), self.0["expected"]["fires"], "{title}");
    }
}
