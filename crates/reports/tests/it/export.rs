//! The recorded exports: CSV byte for byte, JSON by value.

use std::path::Path;

use calendar::Calendar;
use portfolio::figures::ReturnSettings;
use portfolio::series::{Walk, WalkRequest};
use reports::export::{DateRange, Header, rows, write_csv, write_json};
use reports::subject::{Names, Subject};
use serde_json::Value;

use crate::fixtures::oracle;
use crate::market::{Case, text};

/// The recorded cases; of another set those that it has.
fn recorded() -> Vec<String> {
    let Some(folder) = std::env::var_os("CELERIAC_ORACLES") else {
        return vec!["p15".to_owned(), "p23".to_owned()];
    };
    let files = std::fs::read_dir(Path::new(&folder)).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut cases: Vec<String> = names
        .filter_map(|name| {
            Some(
                name.strip_prefix("export_")?
                    .strip_suffix(".csv")?
                    .to_owned(),
            )
        })
        .collect();
    cases.sort();
    cases
}

fn input(id: &str) -> Value {
    let cases: Value = serde_json::from_str(&oracle("portfolios.json")).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    cases.iter().find(|case| case["id"] == id).unwrap()["input"].clone()
}

#[test]
fn exports_are_as_recorded() {
    let recorded = recorded();
    for id in &recorded {
        check(id);
    }
    println!(
        "oracle export_* in memory: {} cases, as CSV and as JSON",
        recorded.len()
    );
    assert!(!recorded.is_empty());
}

fn check(id: &str) {
    let json: Value = serde_json::from_str(&oracle(&format!("export_{id}.json"))).unwrap();
    let day = |key| text(&json["date_range"], key).unwrap().parse().unwrap();
    let range = DateRange {
        start: day("start"),
        end: day("end"),
    };
    let input = input(id);
    let case = Case::read(&input);
    let calendar = Calendar::named(text(&input, "calendar").unwrap_or("XNYS")).unwrap();
    let request = WalkRequest {
        market: &case.market,
        rules: case.rules.clone(),
        entries: case.entries.clone().into(),
        calendar: &calendar,
        starts: Vec::new(),
        to: range.end,
    };
    let walk = Walk::run(request).unwrap().unwrap();
    let names = Names {
        portfolio: "Main".to_owned(),
        ..Names::default()
    };
    let subjects = [Subject::of(names, &walk, None, ReturnSettings::default()).unwrap()];
    let mut csv = Vec::new();
    write_csv(&mut csv, rows(&subjects, range)).unwrap();
    assert_eq!(
        String::from_utf8(csv).unwrap(),
        oracle(&format!("export_{id}.csv")),
        "{id}"
    );
    let header = Header {
        user_id: 1,
        base_currency: case.rules.base,
        range,
    };
    let mut written = Vec::new();
    write_json(&mut written, header, rows(&subjects, range)).unwrap();
    let written: Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(written, json, "{id}");
}
