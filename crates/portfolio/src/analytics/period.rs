//! Named periods, all ending on the as-of date.

use jiff::civil::{Date, date};

use crate::dates::{minus_months, plus_days};

/// A named period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// The day before to the as-of date.
    OneDay,
    /// Since the last Sunday before.
    WeekToDate,
    /// Since the last day of the month before.
    MonthToDate,
    /// Since the last day of the quarter before.
    QuarterToDate,
    /// Seven days.
    OneWeek,
    /// One month.
    OneMonth,
    /// Three months.
    ThreeMonths,
    /// Six months.
    SixMonths,
    /// Since the last day of the year before.
    YearToDate,
    /// One year.
    OneYear,
    /// Three years.
    ThreeYears,
    /// Five years.
    FiveYears,
    /// Since inception.
    Max,
}

impl Period {
    /// Every period, shortest first.
    pub const ALL: [Period; 13] = [
        Period::OneDay,
        Period::WeekToDate,
        Period::MonthToDate,
        Period::QuarterToDate,
        Period::YearToDate,
        Period::OneWeek,
        Period::OneMonth,
        Period::ThreeMonths,
        Period::SixMonths,
        Period::OneYear,
        Period::ThreeYears,
        Period::FiveYears,
        Period::Max,
    ];

    /// The periods whose figures are kept, in the order of tables.
    pub const STORED: [Period; 8] = [
        Period::OneMonth,
        Period::ThreeMonths,
        Period::SixMonths,
        Period::YearToDate,
        Period::OneYear,
        Period::ThreeYears,
        Period::FiveYears,
        Period::Max,
    ];

    /// The name in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Period::OneDay => "1d",
            Period::WeekToDate => "wtd",
            Period::MonthToDate => "mtd",
            Period::QuarterToDate => "qtd",
            Period::OneWeek => "1w",
            Period::OneMonth => "1m",
            Period::ThreeMonths => "3m",
            Period::SixMonths => "6m",
            Period::YearToDate => "ytd",
            Period::OneYear => "1y",
            Period::ThreeYears => "3y",
            Period::FiveYears => "5y",
            Period::Max => "max",
        }
    }

    /// The period of a name.
    pub fn parse(name: &str) -> Option<Period> {
        Period::ALL
            .into_iter()
            .find(|period| period.as_str() == name)
    }

    /// The opening day, exclusive; the calendar's first day for all time.
    pub fn start(self, as_of: Date) -> Date {
        match self {
            Period::OneDay => plus_days(as_of, -1),
            Period::WeekToDate => {
                plus_days(as_of, -i64::from(as_of.weekday().to_monday_one_offset()))
            }
            Period::MonthToDate => plus_days(as_of.first_of_month(), -1),
            Period::QuarterToDate => plus_days(quarter(as_of), -1),
            Period::OneWeek => plus_days(as_of, -7),
            Period::OneMonth => minus_months(as_of, 1),
            Period::ThreeMonths => minus_months(as_of, 3),
            Period::SixMonths => minus_months(as_of, 6),
            Period::YearToDate => plus_days(date(as_of.year(), 1, 1), -1),
            Period::OneYear => minus_months(as_of, 12),
            Period::ThreeYears => minus_months(as_of, 36),
            Period::FiveYears => minus_months(as_of, 60),
            Period::Max => Date::MIN,
        }
    }
}

/// The first day of a date's quarter.
fn quarter(day: Date) -> Date {
    date(day.year(), (day.month() - 1) / 3 * 3 + 1, 1)
}

#[cfg(test)]
mod tests {
    use super::{Period, date};

    #[test]
    fn periods_to_date_open_on_the_day_before_their_first() {
        let friday = date(2012, 5, 18);
        assert_eq!(Period::OneDay.start(friday), date(2012, 5, 17));
        assert_eq!(Period::WeekToDate.start(friday), date(2012, 5, 13));
        assert_eq!(
            Period::WeekToDate.start(date(2012, 5, 14)),
            date(2012, 5, 13)
        );
        assert_eq!(Period::MonthToDate.start(friday), date(2012, 4, 30));
        assert_eq!(Period::QuarterToDate.start(friday), date(2012, 3, 31));
        assert_eq!(Period::OneWeek.start(friday), date(2012, 5, 11));
    }

    #[test]
    fn every_name_is_read_back() {
        for period in Period::ALL {
            assert_eq!(Period::parse(period.as_str()), Some(period));
        }
        assert_eq!(Period::parse("2w"), None);
    }

    #[test]
    fn periods_open_on_the_same_day_or_the_months_last() {
        let as_of = date(2012, 5, 31);
        assert_eq!(Period::OneMonth.start(as_of), date(2012, 4, 30));
        assert_eq!(Period::ThreeMonths.start(as_of), date(2012, 2, 29));
        assert_eq!(Period::YearToDate.start(as_of), date(2011, 12, 31));
        assert_eq!(Period::FiveYears.start(as_of), date(2007, 5, 31));
    }
}
