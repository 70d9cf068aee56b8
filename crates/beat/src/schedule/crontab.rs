//! Celery's crontab: five fields that must all match, and Celery's way to the next run.

use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::crontab_field::{Field, FieldError, FieldSet};
use super::zone::{occurrence_after, occurrences};
use crate::error::ScheduleError;

/// The days of each month in the longest year.
const LONGEST: [i8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/// 29 February falls on a given weekday at least once in this many years.
const SEARCH_YEARS: i16 = 41;

/// The five fields as texts, in Celery's names; what is not given is `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrontabSpec {
    /// 0 to 59.
    pub minute: String,
    /// 0 to 23.
    pub hour: String,
    /// Sunday is 0.
    pub day_of_week: String,
    /// 1 to 31.
    pub day_of_month: String,
    /// 1 to 12.
    pub month_of_year: String,
}

impl Default for CrontabSpec {
    fn default() -> Self {
        let [minute, hour, day_of_week, day_of_month, month_of_year] =
            [(); 5].map(|()| "*".to_owned());
        Self {
            minute,
            hour,
            day_of_week,
            day_of_month,
            month_of_year,
        }
    }
}

impl CrontabSpec {
    /// Reads `minute hour day_of_month month_of_year day_of_week`; `None` unless there are five fields.
    pub fn from_line(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [minute, hour, day_of_month, month_of_year, day_of_week] = fields.as_slice() else {
            return None;
        };
        Some(Self {
            minute: (*minute).to_owned(),
            hour: (*hour).to_owned(),
            day_of_week: (*day_of_week).to_owned(),
            day_of_month: (*day_of_month).to_owned(),
            month_of_year: (*month_of_year).to_owned(),
        })
    }
}

impl fmt::Display for CrontabSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            minute,
            hour,
            day_of_week,
            day_of_month,
            month_of_year,
        } = self;
        write!(
            f,
            "{minute} {hour} {day_of_month} {month_of_year} {day_of_week}"
        )
    }
}

/// A crontab that can be asked.
#[derive(Clone, Debug)]
pub struct Crontab {
    spec: CrontabSpec,
    minute: FieldSet,
    hour: FieldSet,
    day_of_week: FieldSet,
    day_of_month: FieldSet,
    month_of_year: FieldSet,
}

impl Crontab {
    /// The fields as they were written.
    pub fn spec(&self) -> &CrontabSpec {
        &self.spec
    }

    /// Expands the fields.
    ///
    /// # Errors
    /// When a field cannot be understood, or no day ever matches (30 February).
    pub fn new(spec: CrontabSpec) -> Result<Self, ScheduleError> {
        let parse = |field: Field, text: &str| {
            FieldSet::parse(field, text)
                .map_err(|source: FieldError| ScheduleError::Field { field, source })
        };
        let crontab = Self {
            minute: parse(Field::Minute, &spec.minute)?,
            hour: parse(Field::Hour, &spec.hour)?,
            day_of_week: parse(Field::DayOfWeek, &spec.day_of_week)?,
            day_of_month: parse(Field::DayOfMonth, &spec.day_of_month)?,
            month_of_year: parse(Field::MonthOfYear, &spec.month_of_year)?,
            spec,
        };
        crontab.check_dates()?;
        Ok(crontab)
    }

    /// The numbers of a field.
    pub fn set(&self, field: Field) -> FieldSet {
        match field {
            Field::Minute => self.minute,
            Field::Hour => self.hour,
            Field::DayOfWeek => self.day_of_week,
            Field::DayOfMonth => self.day_of_month,
            Field::MonthOfYear => self.month_of_year,
        }
    }

    /// The first run after `last`.
    pub fn next_after(&self, last: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let wall = self.next_wall(zone.to_datetime(last))?;
        occurrence_after(zone, wall, last)
    }

    /// How long Celery sleeps after a run: until the next matching minute first comes, or not at all when it has
    /// come already and comes again, because `now` is in the repeated hour.
    pub(super) fn look_again(&self, now: Timestamp, zone: &TimeZone) -> Option<SignedDuration> {
        let first = occurrences(zone, self.next_wall(zone.to_datetime(now))?).next()?;
        Some(first.duration_since(now).max(SignedDuration::ZERO))
    }

    /// The next matching minute on the wall clock.
    fn next_wall(&self, last: DateTime) -> Option<DateTime> {
        if self.matches_date(last.date()) {
            let same_hour = self
                .minute
                .after(last.minute())
                .filter(|_| self.hour.contains(last.hour()));
            if let Some(minute) = same_hour {
                return Some(last.date().at(last.hour(), minute, 0, 0));
            }
            if let Some(hour) = self.hour.after(last.hour()) {
                return Some(last.date().at(hour, self.minute.first(), 0, 0));
            }
        }
        Some(
            self.next_date(last.date())?
                .at(self.hour.first(), self.minute.first(), 0, 0),
        )
    }

    /// The first matching day after this one.
    fn next_date(&self, last: Date) -> Option<Date> {
        let years = last.year()..=last.year().saturating_add(SEARCH_YEARS);
        let months =
            years.flat_map(|year| self.month_of_year.iter().map(move |month| (year, month)));
        let days = months
            .filter(|month| *month >= (last.year(), last.month()))
            .flat_map(|(year, month)| self.day_of_month.iter().map(move |day| (year, month, day)));
        days.filter_map(|(year, month, day)| Date::new(year, month, day).ok())
            .find(|date| *date > last && self.matches_date(*date))
    }

    fn matches_date(&self, date: Date) -> bool {
        self.month_of_year.contains(date.month())
            && self.day_of_month.contains(date.day())
            && self
                .day_of_week
                .contains(date.weekday().to_sunday_zero_offset())
    }

    fn check_dates(&self) -> Result<(), ScheduleError> {
        let earliest = self.day_of_month.first();
        let occurs = self
            .month_of_year
            .iter()
            .any(|month| earliest <= LONGEST[month as usize - 1]);
        if occurs {
            return Ok(());
        }
        let CrontabSpec {
            day_of_month,
            month_of_year,
            ..
        } = self.spec.clone();
        Err(ScheduleError::NeverOccurs {
            day_of_month,
            month_of_year,
        })
    }
}

impl fmt::Display for Crontab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spec.fmt(f)
    }
}
