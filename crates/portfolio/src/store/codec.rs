//! Reading columns into the domain's types.

use std::str::FromStr;

use super::sql::Row;
use crate::error::{Error, Result};

/// A row of a table, for errors that name both.
pub(super) struct Reader<'r> {
    pub(super) table: &'static str,
    pub(super) id: String,
    pub(super) row: &'r Row,
}

impl Reader<'_> {
    /// A column that may be null.
    pub(super) fn optional<T: FromStr>(&self, column: &'static str) -> Result<Option<T>> {
        let text: Option<String> = self
            .row
            .try_get(column)
            .map_err(|_| self.broken(column, "another type"))?;
        text.map(|text| text.parse().map_err(|_| self.broken(column, &text)))
            .transpose()
    }

    /// A column that is never null.
    pub(super) fn required<T: FromStr>(&self, column: &'static str) -> Result<T> {
        self.optional(column)?
            .ok_or_else(|| self.broken(column, "null"))
    }

    /// The error for a value that cannot be read.
    pub(super) fn broken(&self, column: &'static str, value: &str) -> Error {
        Error::StoredValue {
            table: self.table,
            row: self.id.clone(),
            column,
            value: value.to_owned(),
        }
    }
}

/// Ids as a JSON list, for `json_each`.
pub(super) fn id_list(ids: impl IntoIterator<Item = i64>) -> String {
    let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
    format!("[{}]", ids.join(","))
}
