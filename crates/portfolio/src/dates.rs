//! Small calendar-day arithmetic on [`jiff::civil::Date`]; exchange sessions are in [`crate::calendar`].

use jiff::ToSpan;
use jiff::civil::Date;

/// Whole days from `from` to `to`, negative when `to` is earlier.
pub(crate) fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / 24
}

/// The date `days` later; the calendar's last day when it would lie beyond.
pub(crate) fn plus_days(date: Date, days: i64) -> Date {
    date.saturating_add(days.days())
}

/// The same day `months` earlier, or that month's last day.
pub(crate) fn minus_months(date: Date, months: i64) -> Date {
    date.saturating_sub(months.months())
}

/// True when a list starts with another one; of one list in memory that is known without looking at its dates.
pub(crate) fn begins_with(dates: &[Date], start: &[Date]) -> bool {
    let Some(dates) = dates.get(..start.len()) else {
        return false;
    };
    // One number of the size of a date, which is then compared as it lies in memory.
    let bits = |date: &Date| {
        u32::from(date.year().cast_unsigned())
            | u32::from(date.month().cast_unsigned()) << 16
            | u32::from(date.day().cast_unsigned()) << 24
    };
    let off = |(a, b)| bits(a) ^ bits(b);
    std::ptr::eq(dates, start) || dates.iter().zip(start).fold(0, |all, pair| all | off(pair)) == 0
}

/// A date from `YYYY-MM-DD`, as databases give millions of them.
pub(crate) fn iso_date(text: &str) -> Option<Date> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text.as_bytes() else {
        return text.parse().ok();
    };
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i16::from(byte - b'0'));
    let pair = |tens: u8, ones: u8| Some(digit(tens)? * 10 + digit(ones)?);
    let year = pair(y1, y2)? * 100 + pair(y3, y4)?;
    let (month, day) = (pair(m1, m2)?, pair(d1, d2)?);
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{begins_with, iso_date, plus_days};

    #[test]
    fn lists_begin_with_equal_dates_only() {
        let all: Vec<_> = (0..40)
            .map(|day| plus_days(date(2023, 12, 20), day))
            .collect();
        let copy = all.clone();
        assert!(begins_with(&all, &all) && begins_with(&all, &copy[..7]));
        for off in 0..all.len() {
            let mut other = all.clone();
            other[off] = plus_days(other[off], 1);
            assert!(!begins_with(&all, &other));
        }
        assert!(!begins_with(&all[1..], &all));
    }

    #[test]
    fn dates_are_read_as_they_are_written() {
        for day in [date(1, 2, 3), date(1999, 12, 31), date(2024, 2, 29)] {
            assert_eq!(iso_date(&day.to_string()), Some(day));
        }
        for wrong in ["", "2024-02-30", "2024-2-3x", "20x4-02-03", "2024-13-01"] {
            assert_eq!(iso_date(wrong), None, "{wrong}");
        }
    }
}
