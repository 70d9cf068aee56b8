//! What is said about a backup beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BackupRequest, Scope, archive, unusable};
use crate::error::Result;

/// What follows a backup's name in its manifest's.
const ENDING: &str = ".manifest.json";

/// A backup that was written; the file beside it holds the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Where the backup is.
    #[serde(skip)]
    pub path: PathBuf,
    /// The backup's file name.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// Of the file, hexadecimal.
    pub sha256: String,
    /// Which tables.
    pub scope: Scope,
    /// The version of the schema that the rows are of.
    pub schema_version: i64,
    /// The moment that the rows are of.
    pub created_at: Timestamp,
    /// Rows by table.
    pub row_counts: BTreeMap<String, u64>,
    /// Whether it was restored into a scratch database, with as many rows.
    pub verified: bool,
    /// The task that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
}

impl Manifest {
    /// Where the manifest of a backup is.
    pub(super) fn place(backup: &Path) -> PathBuf {
        let mut name = backup.as_os_str().to_owned();
        name.push(ENDING);
        PathBuf::from(name)
    }

    /// The whole backup that an earlier run of the request's task has left in its folder.
    pub(super) fn of_task(request: &BackupRequest) -> Result<Option<Manifest>> {
        let Some(task_id) = request.task_id.as_deref() else {
            return Ok(None);
        };
        let entries = fs::read_dir(&request.folder)
            .into_iter()
            .flatten()
            .flatten();
        let paths = entries.map(|entry| entry.path());
        for path in paths.filter(|path| path.to_string_lossy().ends_with(ENDING)) {
            // One that cannot be read is nobody's.
            let text = fs::read(&path).unwrap_or_default();
            let manifest = serde_json::from_slice::<Manifest>(&text);
            let Some(mut manifest) = manifest
                .ok()
                .filter(|found| found.task_id.as_deref() == Some(task_id))
            else {
                continue;
            };
            manifest.path = request.folder.join(&manifest.file);
            if manifest.path.is_file() && Manifest::check(&manifest.path).is_ok() {
                return Ok(Some(manifest));
            }
        }
        Ok(None)
    }

    /// Holds a backup against its manifest, when it has one.
    pub(super) fn check(backup: &Path) -> Result<()> {
        let Ok(text) = fs::read(Manifest::place(backup)) else {
            return Ok(());
        };
        let manifest: Manifest = serde_json::from_slice(&text)
            .map_err(|error| unusable(backup, format!("its manifest cannot be read: {error}")))?;
        let (bytes, sha256) = archive::measure(backup)?;
        if bytes < manifest.bytes {
            let whole = manifest.bytes;
            let problem = format!("it is cut short: {bytes} of {whole} bytes are left");
            return Err(unusable(backup, problem));
        }
        if sha256 != manifest.sha256 {
            let problem = "its SHA-256 is not that of its manifest: it was changed or damaged";
            return Err(unusable(backup, problem));
        }
        Ok(())
    }
}
