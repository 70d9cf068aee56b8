use jiff::ToSpan;
use jiff::tz::TimeZone;
use protocol::Map;

use super::*;
use crate::schedule::{Crontab, CrontabSpec, Interval};

fn entry(name: &str, schedule: Schedule) -> Entry {
    Entry {
        name: name.to_owned(),
        task: "tests.task".to_owned(),
        schedule,
        zone: TimeZone::UTC,
        zone_name: "UTC".to_owned(),
        args: Vec::new(),
        kwargs: Map::new(),
        options: Default::default(),
        enabled: true,
    }
}

fn hourly(name: &str) -> Entry {
    let spec = CrontabSpec::from_line("0 * * * *").expect("five fields");
    entry(
        name,
        Schedule::Crontab(Crontab::new(spec).expect("a crontab")),
    )
}

fn every_ten_seconds(name: &str) -> Entry {
    let interval = Interval::new(jiff::SignedDuration::from_secs(10), false).expect("long enough");
    entry(name, Schedule::Interval(interval))
}

fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().expect("a time")
}

#[test]
fn a_new_entry_is_not_due_at_once_and_is_remembered() {
    let (mut plan, writes) = Plan::adopt(&[hourly("a")], Vec::new(), noon());
    assert_eq!(writes.len(), 1);
    assert!(plan.take_due(noon(), 10).is_empty());
    assert_eq!(plan.next_due(), Some(noon() + 1.hour()));
}

#[test]
fn a_known_entry_goes_on_where_it_was() {
    let (_, writes) = Plan::adopt(&[hourly("a")], Vec::new(), noon());
    let stored = writes
        .into_iter()
        .map(|(key, record)| (key, record.expect("a record")))
        .collect();
    let (mut plan, writes) = Plan::adopt(&[hourly("a")], stored, noon() + 210.minutes());
    assert!(writes.is_empty());
    let runs = plan.take_due(noon() + 210.minutes(), 10);
    assert_eq!(
        runs,
        [Run {
            index: 0,
            slot: noon() + 3.hours(),
            missed: 2
        }],
        "once, for the latest of three slots"
    );
    let state = plan.state_after(&runs[0], Some(noon() + 210.minutes()));
    assert_eq!((state.total_run_count, state.missed), (1, 2));
    plan.record(&runs[0], state);
    assert_eq!(plan.next_due(), Some(noon() + 4.hours()));
}

#[test]
fn intervals_keep_their_grid_after_an_outage() {
    let (mut plan, _) = Plan::adopt(&[every_ten_seconds("a")], Vec::new(), noon());
    let runs = plan.take_due(noon() + 47.seconds(), 10);
    assert_eq!(
        runs,
        [Run {
            index: 0,
            slot: noon() + 40.seconds(),
            missed: 3
        }]
    );
}

#[test]
fn a_changed_schedule_begins_now() {
    let (_, writes) = Plan::adopt(&[hourly("a")], Vec::new(), noon());
    let stored = writes
        .into_iter()
        .map(|(key, record)| (key, record.expect("a record")))
        .collect();
    let later = noon() + 5.hours() + 1.second();
    let (mut plan, writes) = Plan::adopt(&[every_ten_seconds("a")], stored, later);
    assert_eq!(writes.len(), 1);
    assert!(
        plan.take_due(later, 10).is_empty(),
        "no slot of the new schedule has passed yet"
    );
}

#[test]
fn removed_and_disabled_entries_are_forgotten() {
    let (_, writes) = Plan::adopt(&[hourly("a"), hourly("b"), hourly("c")], Vec::new(), noon());
    let stored = writes
        .into_iter()
        .map(|(key, record)| (key, record.expect("a record")))
        .collect();
    let disabled = Entry {
        enabled: false,
        ..hourly("b")
    };
    let (plan, mut writes) = Plan::adopt(&[hourly("a"), disabled], stored, noon() + 2.hours());
    writes.sort();
    assert_eq!(
        writes,
        [("entry:b".to_owned(), None), ("entry:c".to_owned(), None)]
    );
    assert_eq!(plan.len(), 1);
}

#[test]
fn an_unreadable_record_is_begun_anew() {
    let stored = vec![("entry:a".to_owned(), Bytes::from_static(b"nonsense"))];
    let (plan, writes) = Plan::adopt(&[hourly("a")], stored, noon());
    assert_eq!((plan.len(), writes.len()), (1, 1));
}

#[test]
fn batches_are_bounded() {
    let entries: Vec<Entry> = (0..10)
        .map(|number| every_ten_seconds(&number.to_string()))
        .collect();
    let (mut plan, _) = Plan::adopt(&entries, Vec::new(), noon());
    assert_eq!(plan.take_due(noon() + 10.seconds(), 7).len(), 7);
    assert_eq!(plan.take_due(noon() + 10.seconds(), 7).len(), 3);
}
