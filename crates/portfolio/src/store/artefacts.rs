//! Files that tasks have made, and what they were made of.

use jiff::Timestamp;
use jiff::civil::Date;

use super::Store;
use super::codec::Reader;
use crate::error::Result;

/// A file to be remembered.
#[derive(Clone, Copy, Debug)]
pub struct NewArtefact<'a> {
    /// Whose it is; none for the whole system.
    pub user_id: Option<i64>,
    /// What it says, such as `tax`.
    pub kind: &'a str,
    /// `pdf`, `html`, `csv` or `json`.
    pub format: &'a str,
    /// The first and the last day that it speaks of.
    pub period: (Date, Date),
    /// Where it is, from the data folder on.
    pub path: &'a str,
    /// Its size.
    pub bytes: u64,
    /// Of its content, hexadecimal.
    pub sha256: &'a str,
    /// The hash of everything that it was made of.
    pub input_hash: &'a str,
    /// The task that made it.
    pub task_id: &'a str,
}

/// A file that was made.
#[derive(Clone, Debug)]
pub struct ArtefactRow {
    /// Its row.
    pub id: i64,
    /// Where it is, from the data folder on.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Of its content, hexadecimal.
    pub sha256: String,
    /// The first and the last day that it speaks of.
    pub period: (Date, Date),
}

impl Store {
    /// Remembers a file until `expires`, in place of what was known of its path; returns its id.
    pub async fn add_artefact(
        &self,
        new: &NewArtefact<'_>,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<i64> {
        let mut tx = self.begin().await?;
        let delete = self.sql("DELETE FROM report_artifacts WHERE path = ?1");
        delete.bind(new.path).execute_in(&mut tx).await?;
        let insert = self.sql(
            "INSERT INTO report_artifacts (user_id, kind, format, period_start, period_end, path, bytes, sha256, input_hash, task_id,
               created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4::date, ?5::date, ?6, ?7, ?8, ?9, ?10, ?11::timestamptz, ?12::timestamptz) RETURNING id AS found",
        );
        let insert = insert.bind(new.user_id).bind(new.kind).bind(new.format);
        let insert = insert
            .bind(new.period.0)
            .bind(new.period.1)
            .bind(new.path)
            .bind(i64::try_from(new.bytes).unwrap_or(i64::MAX));
        let insert = insert
            .bind(new.sha256)
            .bind(new.input_hash)
            .bind(new.task_id)
            .bind(now)
            .bind(expires);
        let id = insert.found_in(&mut tx).await?;
        self.commit(tx).await?;
        Ok(id)
    }

    /// The newest file of this kind and format that was made of the same input.
    pub async fn find_artefact(
        &self,
        kind: &str,
        format: &str,
        input_hash: &str,
    ) -> Result<Option<ArtefactRow>> {
        let query = self.sql(
            "SELECT id, path, bytes, sha256, period_start::text AS period_start, period_end::text AS period_end FROM report_artifacts
             WHERE kind = ?1 AND format = ?2 AND input_hash = ?3 ORDER BY id DESC LIMIT 1",
        );
        let query = query.bind(kind).bind(format).bind(input_hash);
        let Some(row) = query.first().await? else {
            return Ok(None);
        };
        let id: i64 = row.get("id");
        let reader = Reader {
            table: "report_artifacts",
            id: id.to_string(),
            row: &row,
        };
        Ok(Some(ArtefactRow {
            id,
            period: (
                reader.required("period_start")?,
                reader.required("period_end")?,
            ),
            path: row.get("path"),
            bytes: row.get::<i64>("bytes").unsigned_abs(),
            sha256: row.get("sha256"),
        }))
    }

    /// Lets a file that is still asked for live on.
    pub async fn prolong_artefact(&self, id: i64, expires: Timestamp) -> Result<()> {
        let update =
            self.sql("UPDATE report_artifacts SET expires_at = ?2::timestamptz WHERE id = ?1");
        update.bind(id).bind(expires).execute().await?;
        Ok(())
    }
}
