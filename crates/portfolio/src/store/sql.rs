//! Statements that run on both servers: written once, in the words that both have, translated where they differ.
//!
//! A statement is written with `?1` for its first value, `::type` where PostgreSQL needs to be told a type, and `json_each`
//! for the items of a JSON list. SQLite, which keeps decimals, dates and times as text, gets it without the types.
//! Decimals, dates and times travel as text on both.

use std::borrow::Cow;

use futures_util::TryStreamExt;
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Postgres, Row as _, Sqlite};

use super::Store;
use super::database::{Pools, Transaction};
use crate::decimal::Decimal;
use crate::error::Result;
use crate::money::Currency;

/// A value of a statement.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Integer(Option<i64>),
    Float(Option<f64>),
    Text(Option<String>),
    Flag(bool),
    Bytes(Option<Vec<u8>>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Integer(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Value {
        Value::Integer(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Value::Float(Some(value))
    }
}

impl From<Option<f64>> for Value {
    fn from(value: Option<f64>) -> Value {
        Value::Float(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Flag(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Value {
        Value::Bytes(Some(value))
    }
}

impl From<Option<Vec<u8>>> for Value {
    fn from(value: Option<Vec<u8>>) -> Value {
        Value::Bytes(value)
    }
}

/// Types that travel as their text, and may be absent.
macro_rules! travels_as_text {
    ($($type:ty),+) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Value {
                Value::Text(Some(value.to_string()))
            }
        }

        impl From<Option<$type>> for Value {
            fn from(value: Option<$type>) -> Value {
                Value::Text(value.map(|value| value.to_string()))
            }
        }
    )+};
}

travels_as_text!(&str, String, Decimal, Date, Timestamp, Currency);

/// A statement under construction.
#[derive(Debug)]
pub(super) struct Query<'s> {
    store: &'s Store,
    text: Cow<'static, str>,
    values: Vec<Value>,
}

/// The statement of one server with its values.
macro_rules! prepared {
    ($text:expr, $values:expr) => {
        $values.into_iter().fold(
            sqlx::query(AssertSqlSafe($text)),
            |query, value| match value {
                Value::Integer(value) => query.bind(value),
                Value::Float(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
                Value::Flag(value) => query.bind(value),
                Value::Bytes(value) => query.bind(value),
            },
        )
    };
}

impl Store {
    /// Starts a statement.
    pub(super) fn sql(&self, text: &'static str) -> Query<'_> {
        Query {
            store: self,
            text: Cow::Borrowed(text),
            values: Vec::new(),
        }
    }

    /// Starts a statement that ends in the values of many rows and `tail`. Each `?` of `row` is the next value of a row; it
    /// needs a number on PostgreSQL only, and SQLite binds values without one faster.
    pub(super) fn sql_of_rows(
        &self,
        head: &'static str,
        row: &'static str,
        rows: usize,
        tail: &'static str,
    ) -> Query<'_> {
        let mut text = head.to_owned();
        let mut number = 0;
        let numbered = matches!(self.pools, Pools::Postgres(_));
        for turn in 0..rows {
            text.push_str(if turn == 0 { " VALUES " } else { ", " });
            for character in row.chars() {
                text.push(character);
                if character == '?' && numbered {
                    number += 1;
                    text.push_str(&number.to_string());
                }
            }
        }
        text.push(' ');
        text.push_str(tail);
        Query {
            store: self,
            text: Cow::Owned(text),
            values: Vec::new(),
        }
    }
}

impl Query<'_> {
    /// The next value.
    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Runs it and returns how many rows it changed.
    pub(super) async fn execute(self) -> Result<u64> {
        let done = match &self.store.pools {
            Pools::Sqlite(pool) => prepared!(for_sqlite(&self.text), self.values)
                .execute(pool)
                .await
                .map(|done| done.rows_affected()),
            Pools::Postgres(pool) => prepared!(for_postgres(&self.text), self.values)
                .execute(pool)
                .await
                .map(|done| done.rows_affected()),
        };
        done.map_err(|error| self.store.failed(error))
    }

    /// Runs it within a transaction and returns how many rows it changed.
    pub(super) async fn execute_in(self, transaction: &mut Transaction) -> Result<u64> {
        let done = match transaction {
            Transaction::Sqlite(tx) => prepared!(for_sqlite(&self.text), self.values)
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
            Transaction::Postgres(tx) => prepared!(for_postgres(&self.text), self.values)
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
        };
        done.map_err(|error| self.store.failed(error))
    }

    /// All rows.
    pub(super) async fn all(self) -> Result<Vec<Row>> {
        let rows = match &self.store.pools {
            Pools::Sqlite(pool) => prepared!(for_sqlite(&self.text), self.values)
                .fetch_all(pool)
                .await
                .map(|rows| rows.into_iter().map(Row::Sqlite).collect()),
            Pools::Postgres(pool) => prepared!(for_postgres(&self.text), self.values)
                .fetch_all(pool)
                .await
                .map(|rows| rows.into_iter().map(Row::Postgres).collect()),
        };
        rows.map_err(|error| self.store.failed(error))
    }

    /// Hands on each row as it comes, so that a large answer is never in memory as rows.
    pub(super) async fn each(self, mut take: impl FnMut(&Row) -> Result<()> + Send) -> Result<()> {
        let store = self.store;
        let failed = |error| store.failed(error);
        match &store.pools {
            Pools::Sqlite(pool) => {
                let mut rows = prepared!(for_sqlite(&self.text), self.values).fetch(pool);
                while let Some(row) = rows.try_next().await.map_err(failed)? {
                    take(&Row::Sqlite(row))?;
                }
            }
            Pools::Postgres(pool) => {
                let mut rows = prepared!(for_postgres(&self.text), self.values).fetch(pool);
                while let Some(row) = rows.try_next().await.map_err(failed)? {
                    take(&Row::Postgres(row))?;
                }
            }
        }
        Ok(())
    }

    /// The first row, if there is one.
    pub(super) async fn first(self) -> Result<Option<Row>> {
        let row = match &self.store.pools {
            Pools::Sqlite(pool) => prepared!(for_sqlite(&self.text), self.values)
                .fetch_optional(pool)
                .await
                .map(|row| row.map(Row::Sqlite)),
            Pools::Postgres(pool) => prepared!(for_postgres(&self.text), self.values)
                .fetch_optional(pool)
                .await
                .map(|row| row.map(Row::Postgres)),
        };
        row.map_err(|error| self.store.failed(error))
    }

    /// The column named `found` of the only row, within a transaction.
    pub(super) async fn found_in<T: Column>(self, transaction: &mut Transaction) -> Result<T> {
        let store = self.store;
        let mut rows = self.all_in(transaction).await?;
        let row = rows.pop();
        let row = row.ok_or_else(|| store.failed(sqlx::Error::RowNotFound))?;
        row.try_get("found").map_err(|error| store.failed(error))
    }

    /// All rows, within a transaction.
    pub(super) async fn all_in(self, transaction: &mut Transaction) -> Result<Vec<Row>> {
        let rows = match transaction {
            Transaction::Sqlite(tx) => prepared!(for_sqlite(&self.text), self.values)
                .fetch_all(&mut **tx)
                .await
                .map(|rows| rows.into_iter().map(Row::Sqlite).collect()),
            Transaction::Postgres(tx) => prepared!(for_postgres(&self.text), self.values)
                .fetch_all(&mut **tx)
                .await
                .map(|rows| rows.into_iter().map(Row::Postgres).collect()),
        };
        rows.map_err(|error| self.store.failed(error))
    }

    /// The column named `found` of the only row.
    pub(super) async fn found<T: Column>(self) -> Result<T> {
        let store = self.store;
        let row = self.first().await?;
        let row = row.ok_or_else(|| store.failed(sqlx::Error::RowNotFound))?;
        row.try_get("found").map_err(|error| store.failed(error))
    }
}

/// A row of either server.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// What columns are read as.
pub(super) trait Column:
    sqlx::Type<Sqlite>
    + sqlx::Type<Postgres>
    + for<'r> sqlx::Decode<'r, Sqlite>
    + for<'r> sqlx::Decode<'r, Postgres>
{
}

impl<T> Column for T where
    T: sqlx::Type<Sqlite>
        + sqlx::Type<Postgres>
        + for<'r> sqlx::Decode<'r, Sqlite>
        + for<'r> sqlx::Decode<'r, Postgres>
{
}

impl Row {
    /// A column; an error when it is missing or of another type.
    pub(super) fn try_get<T: Column>(&self, column: &str) -> Result<T, sqlx::Error> {
        match self {
            Row::Sqlite(row) => row.try_get(column),
            Row::Postgres(row) => row.try_get(column),
        }
    }

    /// A column that the statement names and the schema types.
    pub(super) fn get<T: Column>(&self, column: &str) -> T {
        self.try_get(column).unwrap_or_else(|error| {
            panic!("a statement names its columns and their types: {error}")
        })
    }
}

/// Without the types.
fn for_sqlite(text: &str) -> String {
    let mut parts = text.split("::");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.trim_start_matches(|c: char| c.is_ascii_alphanumeric()));
    }
    plain
}

/// With PostgreSQL's placeholders and its name for the items of a list.
fn for_postgres(text: &str) -> String {
    text.replace('?', "$")
        .replace("json_each(", "jsonb_array_elements(")
}

#[cfg(test)]
mod tests {
    use super::{for_postgres, for_sqlite};

    #[test]
    fn sqlite_gets_no_types() {
        let text = "SELECT close::text, ':' FROM json_each(?1::jsonb) WHERE date <= ?2::date";
        let plain = "SELECT close, ':' FROM json_each(?1) WHERE date <= ?2";
        assert_eq!(for_sqlite(text), plain);
    }

    #[test]
    fn postgres_gets_its_own_words() {
        let text = "SELECT value FROM json_each(?1::jsonb) WHERE ?12 IS NULL";
        let translated = "SELECT value FROM jsonb_array_elements($1::jsonb) WHERE $12 IS NULL";
        assert_eq!(for_postgres(text), translated);
    }
}
