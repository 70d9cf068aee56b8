//! Every zone and every change of its clocks from 1970 to 2037: schedules of minutes, hours and days lose no slot and double none.

use std::collections::HashSet;
use std::mem::replace;

use beat::schedule::{Crontab, CrontabSpec};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, AmbiguousTimestamp, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Span, Timestamp, ToSpan};

/// A schedule, how far apart its wall clock times are, and how far around a change it is followed.
struct Subject {
    crontab: Crontab,
    step: Span,
    around: SignedDuration,
}

fn subjects() -> [Subject; 4] {
    let subject = |line: &str, step: Span, minutes: i64| Subject {
        crontab: Crontab::new(CrontabSpec::from_line(line).unwrap()).unwrap(),
        step,
        around: SignedDuration::from_mins(minutes),
    };
    [
        subject("* * * * *", 1.minute(), 10),
        subject("0 * * * *", 1.hour(), 150),
        subject("0 0 * * *", 1.day(), 3 * 24 * 60),
        subject("30 2 * * *", 1.day(), 3 * 24 * 60),
    ]
}

/// The zones that differ: many names stand for the same clocks.
fn zones() -> Vec<(String, TimeZone, Vec<Timestamp>)> {
    let database = TimeZoneDatabase::bundled();
    let mut known = HashSet::new();
    let zones = database.available().filter_map(|name| {
        let zone = database.get(name.as_str()).unwrap();
        let changes = changes(&zone);
        let clocks: Vec<_> = changes
            .iter()
            .map(|at| (*at, zone.to_offset(*at).seconds()))
            .collect();
        known
            .insert(clocks)
            .then(|| (name.as_str().to_owned(), zone, changes))
    });
    zones.collect()
}

fn changes(zone: &TimeZone) -> Vec<Timestamp> {
    let end: Timestamp = "2038-01-01T00:00:00Z".parse().unwrap();
    zone.following(Timestamp::UNIX_EPOCH)
        .map(|change| change.timestamp())
        .take_while(|at| *at < end)
        .collect()
}

/// By brute force: the first coming of each matching wall clock time; of times that are skipped together the first.
fn expected(subject: &Subject, zone: &TimeZone, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let (start, end) = (zone.to_datetime(from), zone.to_datetime(to));
    let day_before = start.date().yesterday().unwrap();
    let first = first_wall(&subject.crontab, day_before, start);
    let is_gap =
        |instant: &AmbiguousTimestamp| matches!(instant.offset(), AmbiguousOffset::Gap { .. });
    let mut in_gap = false;
    let mut instants: Vec<Timestamp> = first
        .series(subject.step)
        .take_while(|wall| *wall <= end.saturating_add(2.days()))
        .map(|wall| zone.to_ambiguous_timestamp(wall))
        .filter(|instant| !(is_gap(instant) & replace(&mut in_gap, is_gap(instant))))
        .map(|instant| instant.compatible().unwrap())
        .filter(|instant| (from..to).contains(instant))
        .collect();
    instants.sort();
    instants.dedup();
    instants
}

/// A wall clock time that matches, early enough for clocks that skip a day.
fn first_wall(crontab: &Crontab, day: Date, start: DateTime) -> DateTime {
    use beat::schedule::Field;
    let (hours, minutes) = (crontab.set(Field::Hour), crontab.set(Field::Minute));
    if hours.iter().count() == 1 {
        return day.to_datetime(Time::constant(hours.first(), minutes.first(), 0, 0));
    }
    let early = start.saturating_sub(3.hours());
    day.max(early.date())
        .to_datetime(Time::constant(early.hour(), 0, 0, 0))
}

fn found(subject: &Subject, zone: &TimeZone, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let mut last = from - 1.nanosecond();
    std::iter::from_fn(|| {
        last = subject.crontab.next_after(last, zone)?;
        (last < to).then_some(last)
    })
    .collect()
}

#[test]
fn no_slot_is_lost_and_none_comes_twice() {
    let (zones, subjects) = (zones(), subjects());
    let (mut changes_seen, mut slots) = (0, 0);
    for (name, zone, changes) in &zones {
        for change in changes {
            let before = *change - 1.second();
            let shift = zone.to_offset(*change).seconds() - zone.to_offset(before).seconds();
            let shift = SignedDuration::from_secs(i64::from(shift.abs()));
            for subject in &subjects {
                let around = subject.around + shift;
                let (from, to) = (*change - around, *change + around);
                let found = found(subject, zone, from, to);
                let expected = expected(subject, zone, from, to);
                assert_eq!(
                    found, expected,
                    "{} in {name} around {change}",
                    subject.crontab
                );
                slots += found.len();
            }
            changes_seen += 1;
        }
    }
    println!(
        "{} zones, {changes_seen} changes, {slots} slots",
        zones.len()
    );
    assert!(zones.len() > 250 && changes_seen > 10_000);
}
