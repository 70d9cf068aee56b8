//! Around every change of the clocks: no slot is lost, none comes twice, and time only goes forward.

use std::collections::BTreeSet;

use beat::schedule::{CronExpr, Crontab, CrontabSpec, Field, Interval, Schedule, find_zone};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;

/// Whole hours and half hours, both hemispheres, changes at midnight, and a day left out.
const ZONES: [&str; 8] = [
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Pacific/Apia",
    "Africa/Casablanca",
    "America/St_Johns",
];

/// Schedules of which Celery's rule loses nothing: the hour is open, or there is one minute.
const LINES: [&str; 6] = [
    "* * * * *",
    "*/15 * * * *",
    "0 * * * *",
    "30 2 * * *",
    "0 0 * * *",
    "59 */2 * * *",
];

fn crontab(line: &str) -> Crontab {
    Crontab::new(CrontabSpec::from_line(line).unwrap()).unwrap()
}

/// All transitions of a zone from 2010 to 2037.
fn transitions(zone: &TimeZone) -> Vec<Timestamp> {
    let start: Timestamp = "2010-01-01T00:00:00Z".parse().unwrap();
    let end: Timestamp = "2037-12-31T00:00:00Z".parse().unwrap();
    zone.following(start)
        .map(|change| change.timestamp())
        .take_while(|at| *at < end)
        .collect()
}

fn matches(crontab: &Crontab, wall: DateTime) -> bool {
    crontab.set(Field::Minute).contains(wall.minute())
        && crontab.set(Field::Hour).contains(wall.hour())
}

/// The first coming of every matching minute of the wall clock, by brute force. It begins early enough for a day that
/// is left out.
fn expected(
    crontab: &Crontab,
    zone: &TimeZone,
    from: Timestamp,
    to: Timestamp,
) -> BTreeSet<Timestamp> {
    let start = zone
        .to_datetime(from - 30.hours())
        .with()
        .second(0)
        .subsec_nanosecond(0)
        .build()
        .unwrap();
    let end = zone.to_datetime(to + 2.hours());
    let walls = start.series(1.minute()).take_while(|wall| *wall < end);
    let instants = walls
        .filter(|wall| matches(crontab, *wall))
        .map(|wall| zone.to_timestamp(wall).unwrap());
    instants
        .filter(|instant| (from..to).contains(instant))
        .collect()
}

fn slots(schedule: &Schedule, zone: &TimeZone, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let mut last = from - 1.nanosecond();
    std::iter::from_fn(|| {
        last = schedule.next_after(last, zone)?;
        Some(last)
    })
    .take_while(|slot| *slot < to)
    .collect()
}

#[test]
fn no_slot_is_lost_and_none_comes_twice() {
    let mut checked = 0;
    for name in ZONES {
        let zone = find_zone(name).unwrap();
        for change in transitions(&zone) {
            let (from, to) = (change - 3.hours(), change + 27.hours());
            for line in LINES {
                let crontab = crontab(line);
                let expected: Vec<Timestamp> =
                    expected(&crontab, &zone, from, to).into_iter().collect();
                let found = slots(&Schedule::Crontab(crontab), &zone, from, to);
                assert_eq!(found, expected, "{line} in {name} around {change}");
                checked += found.len();
            }
        }
    }
    println!("{checked} slots around clock changes");
    assert!(checked > 100_000);
}

#[test]
fn cron_expressions_follow_the_same_rule() {
    for name in ZONES {
        let zone = find_zone(name).unwrap();
        for change in transitions(&zone).into_iter().rev().take(10) {
            for (line, expression) in [
                ("*/15 * * * *", "0 */15 * * * *"),
                ("30 2 * * *", "0 30 2 * * *"),
            ] {
                let (from, to) = (change - 3.hours(), change + 27.hours());
                let crontab = slots(&Schedule::Crontab(crontab(line)), &zone, from, to);
                let cron = slots(
                    &Schedule::Cron(CronExpr::new(expression).unwrap()),
                    &zone,
                    from,
                    to,
                );
                assert_eq!(cron, crontab, "{expression} in {name} around {change}");
            }
        }
    }
}

#[test]
fn a_skipped_time_runs_as_much_later() {
    let zone = find_zone("America/New_York").unwrap();
    let last: Timestamp = "2026-03-07T12:00:00-05:00".parse().unwrap();
    let next = Schedule::Crontab(crontab("30 2 * * *"))
        .next_after(last, &zone)
        .unwrap();
    assert_eq!(next, "2026-03-08T03:30:00-04:00".parse().unwrap());
}

#[test]
fn a_repeated_time_runs_once_and_after_a_later_run_at_its_second_coming() {
    let zone = find_zone("America/New_York").unwrap();
    let schedule = Schedule::Crontab(crontab("*/15 * * * *"));
    let next = |last: &str| schedule.next_after(last.parse().unwrap(), &zone).unwrap();
    assert_eq!(
        next("2026-11-01T01:45:00-04:00"),
        "2026-11-01T02:00:00-05:00".parse().unwrap()
    );
    assert_eq!(
        next("2026-11-01T01:20:00-05:00"),
        "2026-11-01T01:30:00-05:00".parse().unwrap()
    );
}

fn any_field(largest: u8) -> impl Strategy<Value = String> {
    prop_oneof![
        Just("*".to_owned()),
        (1..=largest).prop_map(|step| format!("*/{step}")),
        (1..=largest, 1..=largest).prop_map(|(first, last)| format!("{first}-{last}")),
        proptest::collection::vec(1..=largest, 1..4).prop_map(|numbers| numbers
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(",")),
    ]
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let fields = (
        any_field(59),
        any_field(23),
        any_field(6),
        any_field(28),
        any_field(12),
    );
    let crontab = fields.prop_map(|(minute, hour, day_of_week, day_of_month, month_of_year)| {
        let spec = CrontabSpec {
            minute,
            hour,
            day_of_week,
            day_of_month,
            month_of_year,
        };
        Schedule::Crontab(Crontab::new(spec).unwrap())
    });
    let interval = (1..1_000_000_000_i64, any::<bool>()).prop_map(|(millis, relative)| {
        Schedule::Interval(Interval::new(SignedDuration::from_millis(millis), relative).unwrap())
    });
    prop_oneof![crontab, interval]
}

proptest! {
    #[test]
    fn time_only_goes_forward(schedule in any_schedule(), zone in 0..ZONES.len(), start in 0..2_145_916_800_i64) {
        let zone = find_zone(ZONES[zone]).unwrap();
        let mut last = Timestamp::from_second(start).unwrap();
        for _ in 0..50 {
            let next = schedule.next_after(last, &zone).unwrap();
            prop_assert!(next > last, "{schedule}: {next} after {last}");
            let due = schedule.is_due(last, next, &zone, None).unwrap();
            prop_assert!(due.is_due, "{schedule} is due at its own slot {next}");
            let early = schedule.is_due(last, next - 1.microsecond(), &zone, None).unwrap();
            prop_assert!(!early.is_due || next - 1.microsecond() <= last, "{schedule} is not due before {next}");
            last = next;
        }
    }
}
