//! The backups that were written.

use std::path::PathBuf;

use jiff::Timestamp;

use super::Store;
use crate::backup::Manifest;
use crate::error::Result;

/// A backup as the database remembers it.
#[derive(Clone, Debug)]
pub struct BackupRow {
    /// Its id.
    pub id: i64,
    /// Where it is.
    pub path: PathBuf,
    /// Whether it was restored once, with as many rows.
    pub verified: bool,
}

impl Store {
    /// Remembers a backup, once; returns its id.
    pub async fn add_backup(&self, backup: &Manifest) -> Result<i64> {
        let known = self.backups(backup.scope.as_str()).await?;
        if let Some(row) = known.iter().find(|row| row.path == backup.path) {
            return Ok(row.id);
        }
        let insert =
            "INSERT INTO backups (scope, path, bytes, sha256, row_counts, verified, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5::jsonb, ?6, ?7::timestamptz) RETURNING id AS found";
        let query = self
            .sql(insert)
            .bind(backup.scope.as_str())
            .bind(backup.path.display().to_string())
            .bind(i64::try_from(backup.bytes).unwrap_or(i64::MAX));
        let query = query
            .bind(backup.sha256.as_str())
            .bind(serde_json::to_string(&backup.row_counts)?);
        query
            .bind(backup.verified)
            .bind(fixed_width(backup.created_at))
            .found()
            .await
    }

    /// The backups of a scope, newest first.
    pub async fn backups(&self, scope: &str) -> Result<Vec<BackupRow>> {
        let select = "SELECT id, path, verified FROM backups WHERE scope = ?1 ORDER BY created_at DESC, id DESC";
        let rows = self.sql(select).bind(scope).all().await?;
        let backups = rows.iter().map(|row| BackupRow {
            id: row.get("id"),
            path: PathBuf::from(row.get::<String>("path")),
            verified: row.get("verified"),
        });
        Ok(backups.collect())
    }

    /// Forgets a backup.
    pub async fn forget_backup(&self, id: i64) -> Result<()> {
        let delete = "DELETE FROM backups WHERE id = ?1";
        self.sql(delete).bind(id).execute().await?;
        Ok(())
    }
}

/// So that texts compare as times do.
fn fixed_width(time: Timestamp) -> String {
    format!("{time:.9}")
}
