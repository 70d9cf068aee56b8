//! Recorded answers of Celery's schedules. Another recording is used when `CELERIAC_VECTORS` names its folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use beat::schedule::{
    Crontab, CrontabSpec, Due, Field, FieldSet, Interval, Schedule, Solar, find_zone,
};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// Python counts microseconds, and so does the recording.
const TOLERANCE: SignedDuration = SignedDuration::from_micros(1);

fn cases(file: &str) -> Vec<Value> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut recording = testkit::load_json("CELERIAC_VECTORS", &fixtures, file);
    let Value::Array(cases) = recording["cases"].take() else {
        panic!("{file} has no cases")
    };
    assert!(!cases.is_empty(), "{file} has no cases");
    cases
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

fn seconds(value: &Value) -> SignedDuration {
    SignedDuration::from_secs_f64(value.as_f64().unwrap())
}

fn is_close(ours: SignedDuration, recorded: &Value) -> bool {
    (ours - seconds(recorded)).abs() <= TOLERANCE
}

fn agrees(due: Due, case: &Value) -> bool {
    Some(due.is_due) == case["is_due"].as_bool()
        && due.next.is_some_and(|next| is_close(next, &case["next"]))
        && is_close(due.remaining, &case["remaining"])
}

fn crontab(spec: &Value) -> Crontab {
    let field = |name: &str| spec[name].as_str().unwrap().to_owned();
    let spec = CrontabSpec {
        minute: field("minute"),
        hour: field("hour"),
        day_of_week: field("day_of_week"),
        day_of_month: field("day_of_month"),
        month_of_year: field("month_of_year"),
    };
    Crontab::new(spec).unwrap()
}

const FIELDS: [(&str, Field); 5] = [
    ("minute", Field::Minute),
    ("hour", Field::Hour),
    ("day_of_week", Field::DayOfWeek),
    ("day_of_month", Field::DayOfMonth),
    ("month_of_year", Field::MonthOfYear),
];

fn numbers(set: FieldSet) -> Value {
    set.iter().map(i64::from).collect()
}

/// Where Celery's slot is not after the last run, it fires in a loop. Ours is the same wall clock time at its second coming.
fn is_celerys_loop(case: &Value, crontab: &Crontab, zone: &TimeZone) -> bool {
    let celerys = time(&case["next_run_at"]);
    let next = crontab
        .next_after(time(&case["last_run_at"]), zone)
        .unwrap();
    let first_coming = zone
        .to_ambiguous_timestamp(zone.to_datetime(next))
        .earlier()
        .unwrap();
    case.get("fold_bug").is_some() && first_coming == celerys && next > time(&case["last_run_at"])
}

#[test]
fn crontabs_run_when_celerys_do() {
    let (mut same, mut loops, mut wrong) = (0, 0, Vec::new());
    for case in cases("crontab.json") {
        let crontab = crontab(&case["spec"]);
        for (name, field) in FIELDS.iter().filter(|_| case.get("sets").is_some()) {
            assert_eq!(
                numbers(crontab.set(*field)),
                case["sets"][name],
                "{name} of {case}"
            );
        }
        let zone = find_zone(case["tz"].as_str().unwrap()).unwrap();
        let deadline = case["deadline"].as_f64().map(Duration::from_secs_f64);
        let (last, now) = (time(&case["last_run_at"]), time(&case["now"]));
        let due = Schedule::Crontab(crontab.clone())
            .is_due(last, now, &zone, deadline)
            .unwrap();
        match () {
            () if agrees(due, &case) => same += 1,
            () if is_celerys_loop(&case, &crontab, &zone) => loops += 1,
            () => wrong.push(format!("{due:?} for {case}")),
        }
    }
    println!(
        "crontab: {same} cases as Celery, {loops} where Celery fires in a loop and ours does not"
    );
    assert!(
        wrong.is_empty(),
        "{} cases differ, such as {}",
        wrong.len(),
        wrong[0]
    );
}

#[test]
fn intervals_fields_and_the_sun_are_celerys() {
    let cases = cases("schedules.json");
    let mut kinds = BTreeMap::<&str, usize>::new();
    for case in &cases {
        let kind = case["kind"].as_str().unwrap();
        *kinds.entry(kind).or_default() += 1;
        match kind {
            "interval" => check_interval(case),
            "crontab_parser" => check_field(case),
            "solar" => check_solar(case),
            other => panic!("unknown kind {other}"),
        }
    }
    println!("schedules: {kinds:?}");
    assert_eq!(kinds.len(), 3, "{kinds:?}");
}

fn check_interval(case: &Value) {
    let call = &case["call"]["kwargs"];
    let every = seconds(&call["seconds"]);
    let interval = Interval::new(every, call["relative"].as_bool().unwrap()).unwrap();
    let zone = find_zone(call["tz"].as_str().unwrap()).unwrap();
    let (last, now) = (time(&call["last_run_at"]), time(&call["now"]));
    let due = Schedule::Interval(interval)
        .is_due(last, now, &zone, None)
        .unwrap();
    assert!(agrees(due, case), "{due:?} for {case}");
}

/// Celery's ephemeris is another one; a quarter of a minute apart is the same event.
fn check_solar(case: &Value) {
    const APART: SignedDuration = SignedDuration::from_secs(15);
    let call = &case["call"]["kwargs"];
    let degrees = |name: &str| call[name].as_f64().unwrap();
    let event = call["event"].as_str().unwrap().parse().unwrap();
    let solar = Solar::new(event, degrees("lat"), degrees("lon")).unwrap();
    let (last, now) = (time(&call["last_run_at"]), time(&call["now"]));
    let due = Schedule::Solar(solar)
        .is_due(last, now, &TimeZone::UTC, None)
        .unwrap();
    let apart = [(due.next.unwrap(), "next"), (due.remaining, "remaining")]
        .map(|(ours, name)| (ours - seconds(&case[name])).abs());
    assert!(
        apart.iter().all(|apart| *apart < APART),
        "{apart:?} apart: {due:?} for {case}"
    );
    assert_eq!(Some(due.is_due), case["is_due"].as_bool());
}

fn check_field(case: &Value) {
    let call = &case["call"]["kwargs"];
    let name = call["field"].as_str().unwrap();
    let (_, field) = FIELDS.iter().find(|(known, _)| *known == name).unwrap();
    match FieldSet::parse(*field, call["expr"].as_str().unwrap()) {
        Ok(set) => assert_eq!(numbers(set), case["set"], "{case}"),
        Err(_) => assert!(case["error"].is_string(), "{case} is no error in Celery"),
    }
}
