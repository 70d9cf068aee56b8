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
