//! Schedules between their rows in django-celery-beat's tables and the form of the setting `beat_schedule`.

use beat::schedule::Schedule;
use jiff::SignedDuration;
use protocol::{Map, Value};

use crate::time;

/// The units of an interval, longest first: django-celery-beat's name, microseconds, and how the setting writes it.
const PERIODS: [(&str, i64, &str); 5] = [
    ("days", 86_400_000_000, "h"),
    ("hours", 3_600_000_000, "h"),
    ("minutes", 60_000_000, "m"),
    ("seconds", 1_000_000, "s"),
    ("microseconds", 1, "us"),
];

/// What the schedule columns of a joined row hold.
#[derive(Debug, Default)]
pub(crate) struct TimingCells {
    pub(crate) interval_id: Option<String>,
    pub(crate) crontab_id: Option<String>,
    pub(crate) solar_id: Option<String>,
    pub(crate) clocked_id: Option<String>,
    pub(crate) every: Option<String>,
    pub(crate) period: Option<String>,
    pub(crate) minute: Option<String>,
    pub(crate) hour: Option<String>,
    pub(crate) day_of_week: Option<String>,
    pub(crate) day_of_month: Option<String>,
    pub(crate) month_of_year: Option<String>,
    pub(crate) timezone: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) latitude: Option<String>,
    pub(crate) longitude: Option<String>,
    pub(crate) clocked_time: Option<String>,
}

impl TimingCells {
    /// The schedule in the setting's form, or what is wrong.
    pub(crate) fn schedule(self) -> Result<Value, String> {
        let kinds = [
            ("interval", &self.interval_id),
            ("crontab", &self.crontab_id),
            ("solar", &self.solar_id),
            ("clocked", &self.clocked_id),
        ];
        let set = kinds
            .into_iter()
            .filter_map(|(kind, id)| Some((kind, id.as_ref()?)));
        let set: Vec<_> = set.collect();
        let &[(kind, id)] = set.as_slice() else {
            return Err(format!(
                "exactly one of interval, crontab, solar and clocked must be set, not {}",
                set.len()
            ));
        };
        let gone = format!("the {kind} {id} does not exist");
        let table = match kind {
            "interval" => self.interval()?,
            "crontab" => self.crontab(),
            "solar" => self.solar()?,
            _ => self.clocked()?,
        };
        table.map(Value::Map).ok_or(gone)
    }

    fn interval(self) -> Result<Option<Map>, String> {
        let (Some(every), Some(period)) = (self.every, self.period) else {
            return Ok(None);
        };
        let unit = PERIODS.iter().find(|(name, ..)| *name == period);
        let Some((_, _, unit)) = unit else {
            return Err(format!("{period:?} is no period of an interval"));
        };
        let count: i64 = every
            .parse()
            .map_err(|_| format!("{every:?} is no number of {period}"))?;
        let hours = if period == "days" { 24 } else { 1 };
        let count = count.saturating_mul(hours);
        Ok(Some(table([("every", format!("{count}{unit}").into())])))
    }

    fn crontab(self) -> Option<Map> {
        let fields = [
            ("minute", self.minute?),
            ("hour", self.hour?),
            ("day_of_week", self.day_of_week?),
            ("day_of_month", self.day_of_month?),
            ("month_of_year", self.month_of_year?),
        ];
        let fields = table(fields.map(|(name, text)| (name, text.into())));
        Some(table([("crontab", Value::Map(fields))]))
    }

    fn solar(self) -> Result<Option<Map>, String> {
        let (Some(event), Some(latitude), Some(longitude)) =
            (self.event, self.latitude, self.longitude)
        else {
            return Ok(None);
        };
        let degrees = |text: String| {
            let number: Result<f64, _> = text.parse();
            number.map_err(|_| format!("{text:?} is no number of degrees"))
        };
        Ok(Some(table([
            ("solar", event.into()),
            ("latitude", degrees(latitude)?.into()),
            ("longitude", degrees(longitude)?.into()),
        ])))
    }

    fn clocked(self) -> Result<Option<Map>, String> {
        let Some(text) = self.clocked_time else {
            return Ok(None);
        };
        let at = time::parse(&text).ok_or_else(|| format!("{text:?} is no time"))?;
        Ok(Some(table([("clocked", at.to_string().into())])))
    }
}

fn table<const N: usize>(fields: [(&str, Value); N]) -> Map {
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Where a schedule lies in the tables: the table's and the foreign key's kind, and its columns with their values.
#[derive(Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) kind: &'static str,
    pub(crate) columns: Vec<(&'static str, &'static str, String)>,
}

/// The place of a schedule with its zone; `None` for what the tables cannot express. Columns are named with the type that PostgreSQL must be told.
pub(crate) fn place(schedule: &Schedule, zone: &str) -> Option<Place> {
    let (kind, columns) = match schedule {
        Schedule::Interval(interval) if !interval.is_relative() => {
            let (count, period) = count(interval.every())?;
            (
                "interval",
                vec![("every", "::int", count), ("period", "", period.to_owned())],
            )
        }
        Schedule::Crontab(crontab) => {
            let spec = crontab.spec().clone();
            (
                "crontab",
                vec![
                    ("minute", "", spec.minute),
                    ("hour", "", spec.hour),
                    ("day_of_week", "", spec.day_of_week),
                    ("day_of_month", "", spec.day_of_month),
                    ("month_of_year", "", spec.month_of_year),
                    ("timezone", "", zone.to_owned()),
                ],
            )
        }
        Schedule::Solar(solar) => (
            "solar",
            vec![
                ("event", "", solar.event().to_string()),
                ("latitude", "::numeric", format!("{:.6}", solar.latitude())),
                (
                    "longitude",
                    "::numeric",
                    format!("{:.6}", solar.longitude()),
                ),
            ],
        ),
        Schedule::Clocked(clocked) => (
            "clocked",
            vec![("clocked_time", "::timestamptz", time::text(clocked.at()))],
        ),
        _ => return None,
    };
    Some(Place { kind, columns })
}

/// An interval in the longest unit that counts it whole.
fn count(every: SignedDuration) -> Option<(String, &'static str)> {
    let micros = i64::try_from(every.as_micros()).ok()?;
    if SignedDuration::from_micros(micros) != every {
        return None;
    }
    let (name, unit, _) = PERIODS.iter().find(|(_, unit, _)| micros % unit == 0)?;
    let count = i32::try_from(micros / unit).ok()?;
    Some((count.to_string(), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_counted_in_the_longest_unit() {
        let counted = |every| count(every).unwrap();
        assert_eq!(
            counted(SignedDuration::from_hours(48)),
            ("2".into(), "days")
        );
        assert_eq!(
            counted(SignedDuration::from_secs(90)),
            ("90".into(), "seconds")
        );
        let micros = SignedDuration::from_micros(1_500_000);
        assert_eq!(counted(micros), ("1500000".into(), "microseconds"));
        assert_eq!(count(SignedDuration::from_nanos(1_500)), None);
    }

    #[test]
    fn a_row_needs_exactly_one_schedule_that_exists() {
        let id = || Some("7".to_owned());
        let wrong = |cells: TimingCells| cells.schedule().unwrap_err();
        assert!(wrong(TimingCells::default()).contains("not 0"));
        let two = TimingCells {
            interval_id: id(),
            solar_id: id(),
            ..Default::default()
        };
        assert!(wrong(two).contains("not 2"));
        let dangling = TimingCells {
            crontab_id: id(),
            ..Default::default()
        };
        assert_eq!(wrong(dangling), "the crontab 7 does not exist");
    }
}
