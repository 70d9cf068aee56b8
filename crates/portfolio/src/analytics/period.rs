//! Named periods, all ending on the as-of date.

use jiff::civil::{Date, date};

use crate::dates::{minus_months, plus_days};

/// A named period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
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
    /// Every period, in the order of tables.
    pub const ALL: [Period; 8] = [
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

    /// The opening day, exclusive; the calendar's first day for all time.
    pub fn start(self, as_of: Date) -> Date {
        match self {
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

#[cfg(test)]
mod tests {
    use super::{Period, date};

    #[test]
    fn periods_open_on_the_same_day_or_the_months_last() {
        let as_of = date(2012, 5, 31);
        assert_eq!(Period::OneMonth.start(as_of), date(2012, 4, 30));
        assert_eq!(Period::ThreeMonths.start(as_of), date(2012, 2, 29));
        assert_eq!(Period::YearToDate.start(as_of), date(2011, 12, 31));
        assert_eq!(Period::FiveYears.start(as_of), date(2007, 5, 31));
    }
}
