//! Statements: each is prepared once for a connection, and a row is a tuple of its columns.

use rusqlite::{Connection, Params, Row};

use crate::error::Result;

/// A row.
pub(crate) trait Columns: for<'r> TryFrom<&'r Row<'r>, Error = rusqlite::Error> {}

impl<T> Columns for T where T: for<'r> TryFrom<&'r Row<'r>, Error = rusqlite::Error> {}

/// Carries a statement out; returns how many rows it has changed.
pub(crate) fn execute(conn: &Connection, sql: &str, values: impl Params) -> Result<usize> {
    Ok(conn.prepare_cached(sql)?.execute(values)?)
}

/// Carries a statement out for each of many rows; returns how many rows were changed in all.
pub(crate) fn execute_each<P: Params>(
    conn: &Connection,
    sql: &str,
    rows: impl IntoIterator<Item = P>,
) -> Result<usize> {
    let mut rows = rows.into_iter().peekable();
    if rows.peek().is_none() {
        return Ok(0);
    }
    let mut statement = conn.prepare_cached(sql)?;
    let mut changed = 0;
    for row in rows {
        changed += statement.execute(row)?;
    }
    Ok(changed)
}

/// All rows.
pub(crate) fn all<T: Columns>(conn: &Connection, sql: &str, values: impl Params) -> Result<Vec<T>> {
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map(values, |row| T::try_from(row))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The first row, if there is one.
pub(crate) fn first<T: Columns>(
    conn: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<Option<T>> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    Ok(rows.next()?.map(T::try_from).transpose()?)
}

/// The row of a statement that always has one.
pub(crate) fn one<T: Columns>(conn: &Connection, sql: &str, values: impl Params) -> Result<T> {
    first(conn, sql, values)?.ok_or_else(|| rusqlite::Error::QueryReturnedNoRows.into())
}
