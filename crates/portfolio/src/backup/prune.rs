//! Old backups away.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{Manifest, Scope};
use crate::error::{Error, Result};
use crate::store::Store;

/// Removes all backups of a scope in a folder that are older than the newest `keep` verified ones; returns them. A backup
/// that is older than fewer than `keep` verified ones stays, verified or not.
///
/// # Errors
/// When the database or a file cannot be written.
pub async fn prune(
    store: &Store,
    scope: Scope,
    folder: &Path,
    keep: usize,
) -> Result<Vec<PathBuf>> {
    let rows = store.backups(scope.as_str()).await?;
    let mut verified = 0;
    let mut removed = Vec::new();
    for row in rows
        .into_iter()
        .filter(|row| row.path.parent() == Some(folder))
    {
        if verified >= keep {
            remove(&row.path)?;
            remove(&Manifest::place(&row.path))?;
            store.forget_backup(row.id).await?;
            removed.push(row.path);
        }
        verified += usize::from(row.verified);
    }
    Ok(removed)
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(Error::FileWrite {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}
