//! The schema of the file and its versions. SQLite's `application_id` says that the file is a broker's,
//! `user_version` which version it has; both change in the same transaction as the tables.

use std::path::Path;

use sqlx::{Executor, SqliteConnection};

use crate::clock::boot_id;
use crate::error::{Result, SqliteError};

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
pub(crate) async fn migrate(conn: &mut SqliteConnection, path: &Path) -> Result<()> {
    let found = check(conn, path).await?;
    let done = usize::try_from(found).unwrap_or_default();
    for step in &STEPS[done..] {
        conn.execute(sqlx::raw_sql(*step)).await?;
    }
    forget_other_boots(conn).await
}

/// The file's schema version, 0 for an empty file. Another program's database and a newer version are refused.
pub(crate) async fn check(conn: &mut SqliteConnection, path: &Path) -> Result<i32> {
    let application: i32 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut *conn)
        .await?;
    let version: i32 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *conn)
        .await?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut *conn)
        .await?;
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
async fn forget_other_boots(conn: &mut SqliteConnection) -> Result<()> {
    let boot = boot_id();
    let known: Option<String> = sqlx::query_scalar("SELECT id FROM boot")
        .fetch_optional(&mut *conn)
        .await?;
    if known.as_ref() == Some(&boot) {
        return Ok(());
    }
    conn.execute(sqlx::raw_sql(include_str!("schema/boot.sql")))
        .await?;
    sqlx::query("INSERT INTO boot (id) VALUES (?)")
        .bind(boot)
        .execute(conn)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use sqlx::Connection;

    use super::*;
    use crate::clock::steady_ms;

    #[tokio::test]
    async fn a_restart_of_the_machine_ends_every_lease_once() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let path = Path::new("memory");
        migrate(&mut conn, path).await.unwrap();
        let add = "INSERT INTO leases (name, owner, fence, until) VALUES ('beat', 'me', 7, ?)";
        sqlx::query(add)
            .bind(steady_ms() + 30_000)
            .execute(&mut conn)
            .await
            .unwrap();
        let held = "SELECT count(*) FROM leases WHERE fence = 7 AND until > ?";
        for (boot, expected) in [("this one", 1), ("another", 0)] {
            if boot == "another" {
                sqlx::query("UPDATE boot SET id = ?")
                    .bind(boot)
                    .execute(&mut conn)
                    .await
                    .unwrap();
            }
            migrate(&mut conn, path).await.unwrap();
            let found: i64 = sqlx::query_scalar(held)
                .bind(steady_ms())
                .fetch_one(&mut conn)
                .await
                .unwrap();
            assert_eq!(found, expected, "{boot}");
        }
    }

    #[tokio::test]
    async fn a_file_of_the_first_version_becomes_one_of_the_newest() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        conn.execute(sqlx::raw_sql(STEPS[0])).await.unwrap();
        let add = "INSERT INTO groups (group_id, result) VALUES ('g', x'01')";
        conn.execute(add).await.unwrap();
        let path = Path::new("memory");
        for _ in 0..2 {
            migrate(&mut conn, path).await.unwrap();
            assert_eq!(check(&mut conn, path).await.unwrap(), KNOWN);
        }
        for (table, rows) in [
            ("groups", 1),
            ("chords", 0),
            ("remembered", 0),
            ("calls", 0),
        ] {
            let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
            let found: i64 = sqlx::query_scalar(count)
                .fetch_one(&mut conn)
                .await
                .unwrap();
            assert_eq!(found, rows, "{table}");
        }
    }
}
