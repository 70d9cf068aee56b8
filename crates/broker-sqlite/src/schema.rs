//! The schema of the file and its versions. SQLite's `application_id` says that the file is a broker's,
//! `user_version` which version it has; both change in the same transaction as the tables.

use std::path::Path;

use rusqlite::Connection;

use crate::clock::boot_id;
use crate::error::{Result, SqliteError};
use crate::sql;

/// "clry" in ASCII; set by the first step.
const APPLICATION_ID: i32 = 0x636c_7279;

/// Each version's step from the one before, the first from an empty file. A step ends by setting its own version.
const STEPS: [&str; 4] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
];

const KNOWN: i32 = STEPS.len() as i32;

/// Makes the file a broker's of the newest version, within the caller's transaction.
pub(crate) fn migrate(conn: &Connection, path: &Path) -> Result<()> {
    let found = check(conn, path)?;
    let done = usize::try_from(found).unwrap_or_default();
    for step in &STEPS[done..] {
        conn.execute_batch(step)?;
    }
    forget_other_boots(conn)
}

/// The file's schema version, 0 for an empty file. Another program's database and a newer version are refused.
pub(crate) fn check(conn: &Connection, path: &Path) -> Result<i32> {
    let (application,): (i32,) = sql::one(conn, "PRAGMA application_id", [])?;
    let (version,): (i32,) = sql::one(conn, "PRAGMA user_version", [])?;
    let (tables,): (i64,) = sql::one(conn, "SELECT count(*) FROM sqlite_schema", [])?;
    match application {
        APPLICATION_ID if version > KNOWN => Err(SqliteError::Newer {
            path: path.to_owned(),
            found: version,
            known: KNOWN,
        }),
        APPLICATION_ID => Ok(version),
        0 if tables == 0 => Ok(0),
        found => Err(SqliteError::Foreign {
            path: path.to_owned(),
            found,
        }),
    }
}

/// After a restart of the machine all monotonic times are from another life: every lease has run out, nobody listens.
fn forget_other_boots(conn: &Connection) -> Result<()> {
    let boot = boot_id();
    let known: Option<(String,)> = sql::first(conn, "SELECT id FROM boot", [])?;
    if known.is_some_and(|(known,)| known == boot) {
        return Ok(());
    }
    conn.execute_batch(include_str!("schema/boot.sql"))?;
    sql::execute(conn, "INSERT INTO boot (id) VALUES (?)", [boot])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rusqlite::params;

    use super::*;
    use crate::clock::steady_ms;

    #[test]
    fn a_restart_of_the_machine_ends_every_lease_once() {
        let conn = Connection::open_in_memory().unwrap();
        let path = Path::new("memory");
        migrate(&conn, path).unwrap();
        let add = "INSERT INTO leases (name, owner, fence, until) VALUES ('beat', 'me', 7, ?)";
        sql::execute(&conn, add, [steady_ms() + 30_000]).unwrap();
        let held = "SELECT count(*) FROM leases WHERE fence = 7 AND until > ?";
        for (boot, expected) in [("this one", 1), ("another", 0)] {
            if boot == "another" {
                sql::execute(&conn, "UPDATE boot SET id = ?", params![boot]).unwrap();
            }
            migrate(&conn, path).unwrap();
            let (found,): (i64,) = sql::one(&conn, held, [steady_ms()]).unwrap();
            assert_eq!(found, expected, "{boot}");
        }
    }

    #[test]
    fn a_file_of_the_first_version_becomes_one_of_the_newest() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(STEPS[0]).unwrap();
        let add = "INSERT INTO groups (group_id, result) VALUES ('g', x'01')";
        sql::execute(&conn, add, []).unwrap();
        let path = Path::new("memory");
        for _ in 0..2 {
            migrate(&conn, path).unwrap();
            assert_eq!(check(&conn, path).unwrap(), KNOWN);
        }
        for (table, rows) in [
            ("groups", 1),
            ("chords", 0),
            ("remembered", 0),
            ("calls", 0),
        ] {
            let count = format!("SELECT count(*) FROM {table}");
            let (found,): (i64,) = sql::one(&conn, &count, []).unwrap();
            assert_eq!(found, rows, "{table}");
        }
    }
}
