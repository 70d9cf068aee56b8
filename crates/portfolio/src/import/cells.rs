//! The cells of one row, read by column name with the rules of the domain.

use std::fmt::Display;
use std::str::FromStr;

use csv::ByteRecord;
use jiff::civil::Date;

use super::BadRow;
use crate::decimal::Decimal;
use crate::money::Currency;

/// Longest value that a report repeats.
const SHOWN: usize = 80;

pub(super) struct Cells<'r> {
    names: &'r [String],
    values: Vec<&'r str>,
    pub(super) line: u64,
}

impl<'r> Cells<'r> {
    pub(super) fn new(
        names: &'r [String],
        record: &'r ByteRecord,
        line: u64,
    ) -> Result<Cells<'r>, BadRow> {
        if record.len() > names.len() {
            let rule = format!(
                "the row has {} cells, the header {}",
                record.len(),
                names.len()
            );
            return Err(BadRow {
                line,
                field: "row".to_owned(),
                value: String::new(),
                rule,
            });
        }
        let text = |(index, cell): (usize, &'r [u8])| {
            std::str::from_utf8(cell).map_err(|_| {
                let value = String::from_utf8_lossy(cell).into_owned();
                BadRow {
                    line,
                    field: names[index].clone(),
                    value: shorten(&value),
                    rule: "must be UTF-8 text".to_owned(),
                }
            })
        };
        let values: Result<Vec<&str>, BadRow> = record.iter().enumerate().map(text).collect();
        Ok(Cells {
            names,
            values: values?,
            line,
        })
    }

    /// The cell's text; empty when the column or the cell is absent.
    pub(super) fn text(&self, field: &str) -> &'r str {
        let index = self.names.iter().position(|name| name == field);
        index
            .and_then(|index| self.values.get(index).copied())
            .unwrap_or("")
    }

    /// Every name with its cell.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'r str, &'r str)> {
        self.names
            .iter()
            .map(String::as_str)
            .zip(self.values.iter().copied())
    }

    pub(super) fn bad(&self, field: &str, rule: impl Display) -> BadRow {
        BadRow {
            line: self.line,
            field: field.to_owned(),
            value: shorten(self.text(field)),
            rule: rule.to_string(),
        }
    }

    pub(super) fn required(&self, field: &str) -> Result<&'r str, BadRow> {
        Some(self.text(field))
            .filter(|text| !text.is_empty())
            .ok_or_else(|| self.bad(field, "must not be empty"))
    }

    /// A value that may be absent.
    pub(super) fn optional<T: FromStr<Err: Display>>(
        &self,
        field: &str,
    ) -> Result<Option<T>, BadRow> {
        match self.text(field) {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|error| self.bad(field, error)),
        }
    }

    pub(super) fn date(&self, field: &str) -> Result<Date, BadRow> {
        self.required(field)?;
        Ok(self.optional_date(field)?.unwrap_or_default())
    }

    pub(super) fn optional_date(&self, field: &str) -> Result<Option<Date>, BadRow> {
        match self.text(field) {
            "" => Ok(None),
            text => parse_date(text)
                .map(Some)
                .ok_or_else(|| self.bad(field, "must be a date such as 2010-03-01")),
        }
    }

    pub(super) fn currency(&self, field: &str) -> Result<Currency, BadRow> {
        self.required(field)?
            .parse()
            .map_err(|error| self.bad(field, error))
    }

    /// A number above zero.
    pub(super) fn positive(&self, field: &str) -> Result<Decimal, BadRow> {
        self.required(field)?;
        self.optional_positive(field)?
            .ok_or_else(|| self.bad(field, "must not be empty"))
    }

    /// A number above zero that may be absent.
    pub(super) fn optional_positive(&self, field: &str) -> Result<Option<Decimal>, BadRow> {
        let number: Option<Decimal> = self.optional(field)?;
        if number.is_some_and(|number| !number.is_positive()) {
            return Err(self.bad(field, "must be above zero"));
        }
        Ok(number)
    }
}

/// Exactly `YYYY-MM-DD`.
fn parse_date(text: &str) -> Option<Date> {
    let shape = text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    if shape { text.parse().ok() } else { None }
}

fn shorten(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}
