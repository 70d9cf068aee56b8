//! A day as the number that its digits make, in binary forms; its text elsewhere.

use jiff::civil::Date;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// For `with`.
pub(crate) fn serialize<S: Serializer>(day: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        day.serialize(serializer)
    } else {
        serializer.serialize_i32(number(*day))
    }
}

/// For `with`.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    if deserializer.is_human_readable() {
        return Date::deserialize(deserializer);
    }
    let number = i32::deserialize(deserializer)?;
    day(number).ok_or_else(|| D::Error::custom(format_args!("{number} is no day")))
}

/// `20130301` of the first of March 2013.
pub(super) fn number(day: Date) -> i32 {
    let within = i32::from(day.month()) * 100 + i32::from(day.day());
    i32::from(day.year()) * 10_000 + within
}

/// The day of a number.
pub(super) fn day(number: i32) -> Option<Date> {
    let (year, within) = (number.div_euclid(10_000), number.rem_euclid(10_000));
    let (month, day) = (within / 100, within % 100);
    let (year, month, day) = (
        year.try_into().ok()?,
        month.try_into().ok()?,
        day.try_into().ok()?,
    );
    Date::new(year, month, day).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::{day, number};

    #[test]
    fn a_day_comes_back_from_its_number() {
        for known in [Date::MIN, date(-1, 12, 31), date(2024, 2, 29), Date::MAX] {
            assert_eq!(day(number(known)), Some(known));
        }
        for unknown in [0, 20_230_229, 20_231_301, i32::MAX, i32::MIN] {
            assert_eq!(day(unknown), None, "{unknown}");
        }
    }
}
