//! As [`super::day`], of a day that may be absent.

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
struct Day(#[serde(with = "super::day")] Date);

/// For `with`.
pub(crate) fn serialize<S: Serializer>(
    day: &Option<Date>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    day.map(Day).serialize(serializer)
}

/// For `with`.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Date>, D::Error> {
    let day: Option<Day> = Option::deserialize(deserializer)?;
    Ok(day.map(|Day(date)| date))
}
