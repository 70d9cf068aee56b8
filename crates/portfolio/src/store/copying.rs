//! Whole tables out of the database and into it, whatever their columns are. What they mean is not known here.
//!
//! PostgreSQL's values are read in the form that SQLite keeps them in, and given to it as text that is cast to the column's type.

use futures_util::TryStreamExt;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Column as _, Row as _, TypeInfo, ValueRef};

use super::Store;
use super::database::{Pools, Transaction};
use crate::backup::Cell;
use crate::error::{Error, Result};

/// Values that one statement may have.
const MOST_VALUES: usize = 30_000;

/// The database as it is at one moment; others go on writing.
pub(crate) struct Frozen<'s> {
    store: &'s Store,
    tx: Transaction,
}

/// A database that is being filled in one transaction; dropped without [`Refill::finish`] it is as it was.
pub(crate) struct Refill<'s> {
    store: &'s Store,
    tx: Transaction,
    filled: Vec<String>,
}

/// Where the rows of a table go.
pub(crate) struct Target {
    table: String,
    columns: Vec<Column>,
}

/// A column and, on PostgreSQL, its type.
#[derive(Clone)]
struct Column {
    name: String,
    kind: String,
}

impl Store {
    /// Starts reading one moment.
    pub(crate) async fn freeze(&self) -> Result<Frozen<'_>> {
        let begun = match &self.pools {
            Pools::Sqlite(pool) => pool.begin().await.map(Transaction::Sqlite),
            Pools::Postgres(pool) => pool
                .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                .await
                .map(Transaction::Postgres),
        };
        let tx = begun.map_err(|error| self.failed(error))?;
        Ok(Frozen { store: self, tx })
    }

    /// Starts filling.
    pub(crate) async fn refill(&self) -> Result<Refill<'_>> {
        Ok(Refill {
            store: self,
            tx: self.begin().await?,
            filled: Vec::new(),
        })
    }

    async fn columns_of(&self, tx: &mut Transaction, table: &str) -> Result<Vec<Column>> {
        let text = match tx {
            Transaction::Sqlite(_) => {
                "SELECT name, '' AS kind FROM pragma_table_info(?1) ORDER BY cid"
            }
            Transaction::Postgres(_) => {
                "SELECT column_name::text AS name, data_type::text AS kind FROM information_schema.columns
                 WHERE table_schema = current_schema() AND table_name = ?1 ORDER BY ordinal_position"
            }
        };
        let rows = self.sql(text).bind(table).all_in(tx).await?;
        let columns = rows.iter().map(|row| Column {
            name: row.get("name"),
            kind: row.get("kind"),
        });
        Ok(columns.collect())
    }

    /// How many rows a table has; at most `limit` are counted.
    async fn count_in(&self, tx: &mut Transaction, table: &str, limit: i64) -> Result<u64> {
        let text = format!("SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT {limit}) AS counted");
        let counted = match tx {
            Transaction::Sqlite(tx) => {
                sqlx::query_scalar(AssertSqlSafe(text))
                    .fetch_one(&mut **tx)
                    .await
            }
            Transaction::Postgres(tx) => {
                sqlx::query_scalar(AssertSqlSafe(text))
                    .fetch_one(&mut **tx)
                    .await
            }
        };
        let counted: i64 = counted.map_err(|error| self.failed(error))?;
        Ok(u64::try_from(counted).unwrap_or_default())
    }
}

impl Frozen<'_> {
    /// The names of a table's columns.
    pub(crate) async fn columns(&mut self, table: &str) -> Result<Vec<String>> {
        let columns = self.store.columns_of(&mut self.tx, table).await?;
        Ok(columns.into_iter().map(|column| column.name).collect())
    }

    /// How many rows a table has.
    pub(crate) async fn count(&mut self, table: &str) -> Result<u64> {
        self.store.count_in(&mut self.tx, table, i64::MAX).await
    }

    /// Hands every row of a table to `each` as it comes.
    pub(crate) async fn rows<E: From<Error>>(
        &mut self,
        table: &str,
        each: &mut (impl FnMut(Vec<Cell>) -> Result<(), E> + Send),
    ) -> Result<(), E> {
        let store = self.store;
        let columns = store.columns_of(&mut self.tx, table).await?;
        let columns: Vec<String> = columns.iter().map(Column::read).collect();
        let text = format!("SELECT {} FROM {table}", columns.join(", "));
        let failed = |error| E::from(store.failed(error));
        match &mut self.tx {
            Transaction::Sqlite(tx) => {
                let mut rows = sqlx::query(AssertSqlSafe(text)).fetch(&mut **tx);
                while let Some(row) = rows.try_next().await.map_err(failed)? {
                    each(sqlite_cells(&row).map_err(failed)?)?;
                }
            }
            Transaction::Postgres(tx) => {
                let mut rows = sqlx::query(AssertSqlSafe(text)).fetch(&mut **tx);
                while let Some(row) = rows.try_next().await.map_err(failed)? {
                    each(postgres_cells(&row).map_err(failed)?)?;
                }
            }
        }
        Ok(())
    }
}

impl Refill<'_> {
    /// The first of these tables that has rows.
    pub(crate) async fn occupied<'t>(
        &mut self,
        tables: impl Iterator<Item = &'t str>,
    ) -> Result<Option<&'t str>> {
        for table in tables {
            if self.store.count_in(&mut self.tx, table, 1).await? > 0 {
                return Ok(Some(table));
            }
        }
        Ok(None)
    }

    /// Removes all rows of a table.
    pub(crate) async fn clear(&mut self, table: &str) -> Result<()> {
        self.run(format!("DELETE FROM {table}")).await
    }

    /// Where rows with these columns go; `None` when the table lacks one.
    pub(crate) async fn table(
        &mut self,
        table: &str,
        columns: &[String],
    ) -> Result<Option<Target>> {
        let known = self.store.columns_of(&mut self.tx, table).await?;
        let find = |name: &String| known.iter().find(|column| column.name == *name).cloned();
        let columns: Option<Vec<Column>> = columns.iter().map(find).collect();
        self.filled.push(table.to_owned());
        Ok(columns.map(|columns| Target {
            table: table.to_owned(),
            columns,
        }))
    }

    /// Stores rows.
    pub(crate) async fn insert(&mut self, into: &Target, rows: Vec<Vec<Cell>>) -> Result<()> {
        let most = (MOST_VALUES / into.columns.len().max(1)).max(1);
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let chunk: Vec<Vec<Cell>> = rows.by_ref().take(most).collect();
            self.insert_chunk(into, chunk).await?;
        }
        Ok(())
    }

    async fn insert_chunk(&mut self, into: &Target, rows: Vec<Vec<Cell>>) -> Result<()> {
        let text = AssertSqlSafe(into.statement(rows.len()));
        let cells = rows.into_iter().flatten();
        let stored = match &mut self.tx {
            Transaction::Sqlite(tx) => {
                let query = cells.fold(sqlx::query(text), |query, cell| match cell {
                    Cell::Null => query.bind(None::<String>),
                    Cell::Integer(value) => query.bind(value),
                    Cell::Real(value) => query.bind(value),
                    Cell::Text(value) => query.bind(value),
                    Cell::Bytes(value) => query.bind(value),
                });
                query.execute(&mut **tx).await.map(drop)
            }
            Transaction::Postgres(tx) => {
                let query = sqlx::query(text);
                let query = cells.fold(query, |query, cell| query.bind(cell.into_text()));
                query.execute(&mut **tx).await.map(drop)
            }
        };
        stored.map_err(|error| self.store.failed(error))
    }

    /// How many rows a table has now.
    pub(crate) async fn count(&mut self, table: &str) -> Result<u64> {
        self.store.count_in(&mut self.tx, table, i64::MAX).await
    }

    /// Makes it last; new rows get ids after those that were stored.
    pub(crate) async fn finish(mut self) -> Result<()> {
        if let Transaction::Postgres(_) = self.tx {
            for table in std::mem::take(&mut self.filled) {
                let columns = self.store.columns_of(&mut self.tx, &table).await?;
                if columns.iter().any(|column| column.name == "id") {
                    self.run(format!(
                        "SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
                    ))
                    .await?;
                }
            }
        }
        self.store.commit(self.tx).await
    }

    async fn run(&mut self, text: String) -> Result<()> {
        let done = match &mut self.tx {
            Transaction::Sqlite(tx) => sqlx::query(AssertSqlSafe(text))
                .execute(&mut **tx)
                .await
                .map(drop),
            Transaction::Postgres(tx) => sqlx::query(AssertSqlSafe(text))
                .execute(&mut **tx)
                .await
                .map(drop),
        };
        done.map_err(|error| self.store.failed(error))
    }
}

impl Target {
    /// Stores so many rows at once.
    fn statement(&self, rows: usize) -> String {
        let names: Vec<&str> = self
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        let mut text = format!("INSERT INTO {} ({}) VALUES ", self.table, names.join(", "));
        let mut number = 0;
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ", (" });
            for (index, column) in self.columns.iter().enumerate() {
                number += 1;
                text.push_str(if index == 0 { "" } else { ", " });
                text.push_str(&column.written(number));
            }
            text.push(')');
        }
        text
    }
}

impl Column {
    /// How it is read: as whole number, real number, text or bytes.
    fn read(&self) -> String {
        let name = &self.name;
        match self.kind.as_str() {
            "" | "bytea" => name.clone(),
            "bigint" | "integer" | "smallint" => format!("{name}::bigint"),
            "boolean" => format!("{name}::int::bigint"),
            "double precision" | "real" => format!("{name}::double precision"),
            "numeric" => format!("trim_scale({name})::text"),
            "timestamp with time zone" => {
                format!("to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
            }
            _ => format!("{name}::text"),
        }
    }

    /// What stands for its value in a statement.
    fn written(&self, number: usize) -> String {
        match self.kind.as_str() {
            "" => format!("?{number}"),
            "bytea" => format!("decode(${number}, 'base64')"),
            kind => format!("${number}::{kind}"),
        }
    }
}

/// The cells of one server's row, by that server's names of whole numbers, floats and bytes; anything else is text.
macro_rules! cells {
    ($row:expr, $integer:literal, $real:literal, $bytes:literal) => {{
        let row = $row;
        let cell = |index: usize| {
            let value = row.try_get_raw(index)?;
            if value.is_null() {
                return Ok(Cell::Null);
            }
            let kind = value.type_info().name().to_owned();
            Ok(match kind.as_str() {
                $integer => Cell::Integer(row.try_get_unchecked(index)?),
                $real => Cell::Real(row.try_get_unchecked(index)?),
                $bytes => Cell::Bytes(row.try_get_unchecked(index)?),
                _ => Cell::Text(row.try_get_unchecked(index)?),
            })
        };
        let columns = row.columns().iter();
        columns.map(|column| cell(column.ordinal())).collect()
    }};
}

fn sqlite_cells(row: &SqliteRow) -> Result<Vec<Cell>, sqlx::Error> {
    cells!(row, "INTEGER", "REAL", "BLOB")
}

fn postgres_cells(row: &PgRow) -> Result<Vec<Cell>, sqlx::Error> {
    cells!(row, "INT8", "FLOAT8", "BYTEA")
}
