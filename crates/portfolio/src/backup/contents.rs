//! A backup's first line.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Scope;

/// What the first line must name.
pub(super) const FORMAT: &str = "celeriac-backup/1";

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// The format's name and version.
    pub format: String,
    /// Which tables.
    pub scope: Scope,
    /// The version of the schema that the rows are of.
    pub schema_version: i64,
    /// The moment that the rows are of.
    pub created_at: Timestamp,
    /// The tables in the order of their lines.
    pub tables: Vec<TableContents>,
}

/// One table of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableContents {
    /// Its name.
    pub name: String,
    /// Its columns, in the order of each row's values.
    pub columns: Vec<String>,
    /// How many rows.
    pub rows: u64,
}

impl Contents {
    /// Rows by table.
    pub fn row_counts(&self) -> BTreeMap<String, u64> {
        self.tables
            .iter()
            .map(|table| (table.name.clone(), table.rows))
            .collect()
    }

    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}
