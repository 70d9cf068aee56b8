//! One field of a crontab: Celery's grammar, expanded to the set of numbers it names.
//!
//! The grammar is that of Celery's `crontab_parser`, oddities included: ranges wrap, steps count positions in the
//! expanded range, only the first three letters of a name count, month names go before weekday names in every field, and
//! what follows a range is ignored.

use std::fmt;

/// Which field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// 0 to 6; Sunday is 0.
    DayOfWeek,
    /// 1 to 31.
    DayOfMonth,
    /// 1 to 12.
    MonthOfYear,
}

impl Field {
    /// The smallest and the largest number.
    pub fn bounds(self) -> (u8, u8) {
        match self {
            Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::DayOfWeek => (0, 6),
            Self::DayOfMonth => (1, 31),
            Self::MonthOfYear => (1, 12),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfWeek => "day_of_week",
            Self::DayOfMonth => "day_of_month",
            Self::MonthOfYear => "month_of_year",
        })
    }
}

/// Why a field cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// Nothing between two commas, or an empty field.
    #[error("an empty part")]
    Empty,
    /// A slash without a number after it.
    #[error("{part:?} has no step after its slash")]
    NoStep {
        /// The part.
        part: String,
    },
    /// A step that is not a number of at least 1.
    #[error("step {step:?} is not a number of at least 1")]
    Step {
        /// The step.
        step: String,
    },
    /// Neither a number nor a name.
    #[error("{text:?} is neither a number nor the name of a month or weekday")]
    Name {
        /// What it says.
        text: String,
    },
    /// A number out of bounds.
    #[error("{number} is not in {min} to {max}")]
    Range {
        /// The number.
        number: i64,
        /// The smallest that is allowed.
        min: u8,
        /// The largest that is allowed.
        max: u8,
    },
}

/// The numbers that a field names, at least one, all below 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSet(u64);

impl FieldSet {
    /// Expands a field's text.
    ///
    /// # Errors
    /// When the text breaks the grammar or names a number out of bounds.
    pub fn parse(field: Field, text: &str) -> Result<Self, FieldError> {
        let mut set = 0;
        for part in text.split(',') {
            for number in expand(field, part)? {
                set |= 1 << number;
            }
        }
        Ok(Self(set))
    }

    /// Whether the number is in it.
    pub fn contains(self, number: i8) -> bool {
        u32::try_from(number).is_ok_and(|number| self.0 & (1 << number) != 0)
    }

    /// The smallest number.
    pub fn first(self) -> i8 {
        self.0.trailing_zeros() as i8
    }

    /// The smallest number above this one.
    pub fn after(self, number: i8) -> Option<i8> {
        self.iter().find(|candidate| *candidate > number)
    }

    /// All numbers, ascending.
    pub fn iter(self) -> impl Iterator<Item = i8> {
        (0..64).filter(move |number| self.contains(*number))
    }
}

fn expand(field: Field, part: &str) -> Result<Vec<u8>, FieldError> {
    if part.is_empty() {
        return Err(FieldError::Empty);
    }
    if let Some((first, last, tail)) = split_range(part) {
        let numbers = range(
            field,
            parse_number(field, first)?,
            parse_number(field, last)?,
        );
        return match tail.strip_prefix('/') {
            Some(step) => every(numbers, part, step),
            None => Ok(numbers),
        };
    }
    let (min, max) = field.bounds();
    match part.strip_prefix('*') {
        Some("") => Ok(range(field, min, max)),
        Some(tail) if tail.starts_with('/') => every(range(field, min, max), part, &tail[1..]),
        _ => Ok(vec![parse_number(field, part)?]),
    }
}

/// Splits `first-last` and what follows it, if the part begins like that.
fn split_range(part: &str) -> Option<(&str, &str, &str)> {
    let (first, rest) = part.split_at(word_length(part));
    let rest = rest.strip_prefix('-')?;
    let (last, tail) = rest.split_at(word_length(rest));
    (!first.is_empty() && !last.is_empty()).then_some((first, last, tail))
}

fn word_length(text: &str) -> usize {
    text.find(|character: char| !character.is_alphanumeric() && character != '_')
        .unwrap_or(text.len())
}

/// From first to last; over the end and on from the beginning when the last is smaller.
fn range(field: Field, first: u8, last: u8) -> Vec<u8> {
    let (min, max) = field.bounds();
    if first <= last {
        (first..=last).collect()
    } else {
        (first..=max).chain(min..=last).collect()
    }
}

fn every(numbers: Vec<u8>, part: &str, step: &str) -> Result<Vec<u8>, FieldError> {
    let step = &step[..word_length(step)];
    if step.is_empty() {
        return Err(FieldError::NoStep {
            part: part.to_owned(),
        });
    }
    let count = python_int(step)
        .and_then(|step| usize::try_from(step).ok())
        .filter(|step| *step > 0);
    let count = count.ok_or_else(|| FieldError::Step {
        step: step.to_owned(),
    })?;
    Ok(numbers.into_iter().step_by(count).collect())
}

fn parse_number(field: Field, text: &str) -> Result<u8, FieldError> {
    let number = python_int(text).or_else(|| named(text));
    check(
        field,
        number.ok_or_else(|| FieldError::Name {
            text: text.to_owned(),
        })?,
    )
}

fn check(field: Field, number: i64) -> Result<u8, FieldError> {
    let (min, max) = field.bounds();
    let fitting = u8::try_from(number)
        .ok()
        .filter(|number| (min..=max).contains(number));
    fitting.ok_or(FieldError::Range { number, min, max })
}

/// A number as Python's `int` reads it: blanks around it, a sign, single underscores between digits.
fn python_int(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let groups: Vec<&str> = digits.split('_').collect();
    let sound = groups
        .iter()
        .all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    let value = sound.then(|| groups.concat().parse::<i64>().unwrap_or(i64::MAX))?;
    Some(if text.starts_with('-') { -value } else { value })
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// The number of a month (from 1) or of a weekday (from 0).
fn named(text: &str) -> Option<i64> {
    let name: String = text.chars().take(3).flat_map(char::to_lowercase).collect();
    let month = MONTHS
        .iter()
        .position(|month| *month == name)
        .map(|index| index + 1);
    let number = month.or_else(|| WEEKDAYS.iter().position(|weekday| *weekday == name))?;
    i64::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_is_wrong() {
        let error = |text| {
            FieldSet::parse(Field::Hour, text)
                .map(|_| ())
                .map_err(|error| error.to_string())
        };
        assert_eq!(error("1,,2"), Err("an empty part".to_owned()));
        assert_eq!(
            error("*/"),
            Err("\"*/\" has no step after its slash".to_owned())
        );
        assert_eq!(
            error("*/0"),
            Err("step \"0\" is not a number of at least 1".to_owned())
        );
        assert_eq!(
            error("noon"),
            Err("\"noon\" is neither a number nor the name of a month or weekday".to_owned())
        );
        assert_eq!(error("24"), Err("24 is not in 0 to 23".to_owned()));
        assert_eq!(error(" 5 ,1_0"), Ok(()));
    }

    #[test]
    fn no_text_makes_it_panic() {
        for text in [
            "",
            "-",
            "/",
            "*-",
            "ä-ö/ü",
            "1-2/99999999999999999999",
            "٣",
            "1-",
            "_",
            "*/_",
        ] {
            let _ = FieldSet::parse(Field::Minute, text);
        }
    }
}
