//! Axes: round numbers and first days of months that divide a range into a few parts.

use jiff::ToSpan;
use jiff::civil::Date;

/// Round values from at or below `low` to at or above `high`, about five of them.
pub(super) fn ticks(low: f64, high: f64) -> Vec<f64> {
    let span = if high > low {
        high - low
    } else {
        low.abs().max(1.0)
    };
    let rough = span / 4.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * power);
    let (first, last) = ((low / step).floor() as i64, (high / step).ceil() as i64);
    let last = last.max(first + 1);
    (first..=last).map(|index| index as f64 * step).collect()
}

/// First days of months within the range, at most nine of them, and whether they are years.
pub(super) fn dates(first: Date, last: Date) -> (Vec<Date>, bool) {
    let months = (i32::from(last.year()) - i32::from(first.year())) * 12 + i32::from(last.month())
        - i32::from(first.month());
    let step = [1, 2, 3, 6, 12, 24, 60, 120, 240]
        .into_iter()
        .find(|step| months / step < 9)
        .unwrap_or(600);
    let start = i32::from(first.year()) * 12;
    let days = (0..)
        .map(|index| start + index * step)
        .map_while(|month| month_start(month).filter(|day| *day <= last));
    (days.filter(|day| *day >= first).collect(), step >= 12)
}

fn month_start(month: i32) -> Option<Date> {
    let year = i16::try_from(month.div_euclid(12)).ok()?;
    let january = Date::new(year, 1, 1).ok()?;
    january.checked_add(month.rem_euclid(12).months()).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn ticks_are_round_and_cover_the_range() {
        assert_eq!(ticks(0.0, 97.0), [0.0, 25.0, 50.0, 75.0, 100.0]);
        assert_eq!(
            ticks(-0.34, 0.0),
            [-0.4, -0.30000000000000004, -0.2, -0.1, 0.0]
        );
        assert_eq!(ticks(5.0, 5.0).first(), Some(&4.0));
    }

    #[test]
    fn dates_are_months_or_years() {
        let (months, years) = dates(date(2010, 1, 15), date(2010, 5, 2));
        assert!(!years);
        assert_eq!(months.first(), Some(&date(2010, 2, 1)));
        assert_eq!(months.len(), 4);
        let (ten, years) = dates(date(2004, 8, 19), date(2013, 3, 1));
        assert!(years && ten.len() <= 9);
    }
}
