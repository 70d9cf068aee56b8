#![allow(clippy::unwrap_used)]

use jiff::civil::date;

use super::{Calendar, Exception, rules, weekend};

#[test]
fn tables_hold_the_published_number_of_sessions() {
    for (mic, sessions) in [
        ("XNYS", 7013),
        ("XLON", 7047),
        ("XETR", 7087),
        ("XKLS", 6869),
    ] {
        let calendar = Calendar::named(mic).unwrap();
        assert_eq!(
            calendar
                .sessions(date(2000, 1, 2), date(2027, 11, 19))
                .len(),
            sessions,
            "{mic}"
        );
    }
}

#[test]
fn rules_reproduce_the_table_of_new_york() {
    let calendar = Calendar::named("XNYS").unwrap();
    let mourning = [date(2025, 1, 9)];
    let mut day = date(2022, 1, 1);
    while day < date(2027, 11, 19) {
        if !weekend(day) && !mourning.contains(&day) {
            let listed = calendar.exceptions.get(&day) == Some(&Exception::Holiday);
            assert_eq!(rules::xnys_holiday(day), listed, "{day}");
        }
        day = day.tomorrow().unwrap();
    }
    assert!(!calendar.is_session(date(2027, 12, 24)));
    assert!(!calendar.covers(date(2027, 12, 24)));
}

#[test]
fn half_days_close_early() {
    let calendar = Calendar::named("XNYS").unwrap();
    let session = calendar.session(date(2024, 11, 29)).unwrap();
    assert!(session.special);
    assert_eq!(session.close.to_string(), "2024-11-29T18:00:00Z");
    assert!(calendar.session(date(2024, 11, 28)).is_none());
}

#[test]
fn last_completed_session_waits_for_the_close() {
    let calendar = Calendar::named("XNYS").unwrap();
    let at = |text: &str| calendar.last_completed(text.parse().unwrap());
    assert_eq!(at("2013-03-01T20:59:59Z"), date(2013, 2, 28));
    assert_eq!(at("2013-03-01T21:00:00Z"), date(2013, 3, 1));
    assert_eq!(at("2013-03-03T12:00:00Z"), date(2013, 3, 1));
    let next = calendar
        .next_open("2013-03-01T21:00:00Z".parse().unwrap())
        .unwrap();
    assert_eq!(next.date, date(2013, 3, 4));
}

#[test]
fn closures_can_be_added() {
    let added = "date,kind,open_local,close_local\n2026-11-23,holiday,,\n2026-11-28,weekend_session,10:00,12:00\n";
    let calendar = Calendar::named("XNYS")
        .unwrap()
        .with_exceptions(added)
        .unwrap();
    assert!(!calendar.is_session(date(2026, 11, 23)));
    assert!(calendar.is_session(date(2026, 11, 28)));
    let bad = Calendar::named("XNYS")
        .unwrap()
        .with_exceptions("h\n2026-11-23,closed,,\n")
        .unwrap_err();
    assert!(bad.to_string().contains("line 2"), "{bad}");
    assert!(
        Calendar::named("XPAR")
            .unwrap_err()
            .to_string()
            .contains("XNYS")
    );
}

#[test]
fn always_open() {
    let calendar = Calendar::named("24/7").unwrap();
    assert_eq!(
        calendar.sessions(date(2021, 5, 7), date(2021, 5, 22)).len(),
        15
    );
}

#[test]
fn a_folder_of_later_closures_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let text = "date,kind,open_local,close_local\n2026-11-23,holiday,,\n";
    std::fs::write(folder.path().join("XNYS.csv"), text).unwrap();
    let calendars = super::Calendars::with_folder(folder.path());
    let closed = |mic: &str| !calendars.get(mic).unwrap().is_session(date(2026, 11, 23));
    assert!(closed("XNYS"));
    assert!(!closed("XLON"));
}
