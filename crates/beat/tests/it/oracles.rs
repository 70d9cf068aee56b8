//! The recorded fire times of the finance schedules, as entries of the settings have them.

use beat::ScheduleFile;
use protocol::{Map, from_value, to_value};
use serde_json::json;

use crate::recorded;

#[test]
fn the_finance_schedules_fire_when_recorded() {
    let cases = recorded::cases();
    for case in &cases {
        let entries = to_value(&json!({ case.id(): case.setting() })).unwrap();
        let entries: Map = from_value(entries).unwrap();
        let file = ScheduleFile::read(&entries, "UTC");
        assert!(file.problems.is_empty(), "{:?}", file.problems);
        case.check(&file.entries[0]);
    }
    println!("oracle schedules.json in memory: {} cases", cases.len());
}
