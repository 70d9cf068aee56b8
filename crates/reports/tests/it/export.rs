//! The recorded exports: CSV byte for byte, JSON by value.

use std::path::Path;

use calendar::Calendar;
use portfolio::analytics::view;
use portfolio::figures::ReturnSettings;
use portfolio::series::{Walk, WalkRequest};
use portfolio::store::{NewUser, Store};
use reports::export::{DateRange, Header, rows, write_csv, write_json};
use reports::files::{Export, Format, write_export};
use reports::subject::{Names, Subject};
use serde_json::Value;

use crate::fixtures::oracle;
use crate::market::{Case, text};
use crate::stored_case::{Owner, StoredCase, base, put_rates};

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
    println!("oracle export_* in memory: {} cases", recorded.len());
    assert!(!recorded.is_empty());
}

#[tokio::test]
async fn exports_are_as_recorded_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("finance.db");
    // A database for each, since the exports are of the first user.
    for (place, id) in (0..).zip(recorded()) {
        let store = Store::create(file.with_extension(i32::to_string(&place))).await;
        check_stored(&store.unwrap(), &id).await;
    }
    println!("oracle export_* on SQLite: {} cases", recorded().len());
}

#[tokio::test]
async fn exports_are_as_recorded_on_postgres() {
    for id in recorded() {
        let server = testkit::Postgres::start();
        let store = Store::open_url(&server.url()).await.unwrap();
        check_stored(&store, &id).await;
    }
    println!("oracle export_* on PostgreSQL: {} cases", recorded().len());
}

/// The files that are written of a portfolio in a database.
async fn check_stored(store: &Store, id: &str) {
    let input = input(id);
    let user = NewUser {
        email: "a@b.c",
        display_name: "",
        base_currency: base(&input).parse().unwrap(),
    };
    let now = "2013-03-02T00:00:00Z".parse().unwrap();
    let user = store.put_user(&user, now).await.unwrap();
    put_rates(store, "portfolios.json").await;
    let owner = Owner {
        store,
        user,
        portfolio: "Main",
    };
    let mut case = StoredCase::start(owner, id, &input).await;
    case.rows().await.unwrap();
    let json: Value = serde_json::from_str(&oracle(&format!("export_{id}.json"))).unwrap();
    let day = |key| text(&json["date_range"], key).unwrap().parse().unwrap();
    let last = Some(day("end"));
    let view = view(store, user, Some(case.portfolio), last).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let export = |format| {
        let wanted = Export {
            user_id: user,
            base_currency: view.owner_currency,
            start: Some(day("start")),
            format,
            folder: folder.path(),
            tag: None,
        };
        std::fs::read_to_string(write_export(&view, &wanted).unwrap().artefact.path).unwrap()
    };
    assert_eq!(
        export(Format::Csv),
        oracle(&format!("export_{id}.csv")),
        "{id}"
    );
    let written: Value = serde_json::from_str(&export(Format::Json)).unwrap();
    assert_eq!(written, json, "{id}");
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
