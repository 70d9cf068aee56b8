//! The New York Stock Exchange's holidays by rule (its Rule 7.2), for days beyond the table.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};

/// True when a weekday is a full holiday by rule. Early closes and unplanned closures are not known to rules.
pub(super) fn xnys_holiday(day: Date) -> bool {
    let year = day.year();
    fixed(year)
        .into_iter()
        .any(|holiday| observed(holiday) == Some(day))
        || floating(year).contains(&Some(day))
        || good_friday(year) == Some(day)
}

fn fixed(year: i16) -> [Date; 4] {
    [
        date(year, 1, 1),
        date(year, 6, 19),
        date(year, 7, 4),
        date(year, 12, 25),
    ]
}

/// Saturday holidays move to Friday, except New Year's Day, which is not moved into the old year; Sunday ones to Monday.
fn observed(holiday: Date) -> Option<Date> {
    match holiday.weekday() {
        Weekday::Saturday if holiday.month() == 1 => None,
        Weekday::Saturday => Some(holiday.saturating_sub(1.day())),
        Weekday::Sunday => Some(holiday.saturating_add(1.day())),
        _ => Some(holiday),
    }
}

fn floating(year: i16) -> [Option<Date>; 5] {
    let nth = |month, nth, weekday| date(year, month, 1).nth_weekday_of_month(nth, weekday).ok();
    [
        nth(1, 3, Weekday::Monday),
        nth(2, 3, Weekday::Monday),
        nth(5, -1, Weekday::Monday),
        nth(9, 1, Weekday::Monday),
        nth(11, 4, Weekday::Thursday),
    ]
}

/// Two days before Easter Sunday (the anonymous Gregorian computus).
fn good_friday(year: i16) -> Option<Date> {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let (month, day) = ((h + l - 7 * m + 114) / 31, (h + l - 7 * m + 114) % 31 + 1);
    let easter = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    Some(easter.saturating_sub(2.days()))
}
