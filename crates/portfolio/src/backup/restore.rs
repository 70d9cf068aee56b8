//! From a file into a database.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::archive::Reader;
use super::write::step;
use super::{Cell, Contents, Manifest, Scope, TABLES, TableContents, unusable};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::store::{Refill, Store, sqlite_file};

/// Rows that are read and stored at a time.
const BATCH: u64 = 500;

/// What was brought back.
#[derive(Clone, Debug, Serialize)]
pub struct Restored {
    /// Which tables.
    pub scope: Scope,
    /// The moment that the rows are of.
    pub created_at: jiff::Timestamp,
    /// Rows by table.
    pub row_counts: BTreeMap<String, u64>,
    /// Whether rows were there before and are gone.
    pub replaced: bool,
}

/// Reads a whole backup and says what it holds. Blocking.
///
/// # Errors
/// A file that cannot be read, or is cut short, changed, damaged, no backup, or of a newer version.
pub fn inspect(path: &Path) -> Result<Contents> {
    Manifest::check(path)?;
    let (mut reader, contents) = Reader::open(path)?;
    check(path, &contents)?;
    for table in &contents.tables {
        for _ in 0..table.rows {
            reader.row(table.columns.len())?;
        }
    }
    reader.finish()?;
    Ok(contents)
}

/// Whether this version can restore it.
fn check(path: &Path, contents: &Contents) -> Result<()> {
    let (theirs, ours) = (contents.schema_version, crate::store::schema_version());
    if theirs > ours {
        let problem = format!(
            "it is of schema version {theirs}, this program knows {ours}: use a newer program"
        );
        return Err(unusable(path, problem));
    }
    let known = |table: &TableContents| TABLES.iter().any(|(name, _)| *name == table.name);
    match contents.tables.iter().find(|table| !known(table)) {
        Some(table) => Err(unusable(
            path,
            format!("it holds an unknown table {:?}", table.name),
        )),
        None => Ok(()),
    }
}

/// Brings a backup back in one transaction: into a database without rows, or over them when `force` says so, which only a
/// backup of scope `full` can do. Phases: `check`, `restore`.
///
/// # Errors
/// What [`inspect`] finds, rows that would be lost, or a database that cannot be written; nothing has changed then.
pub async fn restore(
    store: &Store,
    path: &Path,
    force: bool,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Restored> {
    progress(step("check", 0, 1));
    let contents = inspected(path).await?;
    progress(step("check", 1, 1));
    let mut refill = store.refill().await?;
    let occupied = refill
        .occupied(TABLES.iter().map(|(name, _)| *name))
        .await?;
    if let Some(table) = occupied {
        if !force || contents.scope != Scope::Full {
            return Err(Error::NotEmpty {
                database: store.name().to_owned(),
                table: table.to_owned(),
                partial: contents.scope != Scope::Full,
            });
        }
        for (name, _) in TABLES.iter().rev() {
            refill.clear(name).await?;
        }
    }
    fill(&mut refill, path, "restore", progress, &|| false).await?;
    refill.finish().await?;
    Ok(Restored {
        scope: contents.scope,
        created_at: contents.created_at,
        row_counts: contents.row_counts(),
        replaced: occupied.is_some(),
    })
}

/// As [`restore`](fn@restore), into the database that a URL names; a SQLite file is made where there is none, and is gone
/// again when that fails.
///
/// # Errors
/// As [`restore`](fn@restore), or when the database cannot be opened.
pub async fn restore_url(
    url: &str,
    path: &Path,
    force: bool,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Restored> {
    let fresh = sqlite_file(url)?.filter(|file| !file.exists());
    if let Some(folder) = fresh.and_then(Path::parent) {
        std::fs::create_dir_all(folder).map_err(|source| Error::FileWrite {
            path: folder.to_owned(),
            source,
        })?;
    }
    let restored = async {
        let store = Store::create_url(url).await?;
        let restored = restore(&store, path, force, progress).await;
        store.close().await;
        restored
    };
    let restored = restored.await;
    if let (Err(_), Some(file)) = (&restored, fresh) {
        for ending in ["", "-wal", "-shm"] {
            // What was never made cannot be removed.
            let _ = std::fs::remove_file(format!("{}{ending}", file.display()));
        }
    }
    restored
}

async fn inspected(path: &Path) -> Result<Contents> {
    let path: PathBuf = path.to_owned();
    let read = tokio::task::spawn_blocking(move || inspect(&path)).await;
    read.map_err(Error::Computation)?
}

/// Restores into a scratch database in `folder`, counts, and throws it away.
pub(super) async fn rehearse(
    path: &Path,
    folder: &Path,
    progress: &mut (dyn FnMut(Progress) + Send),
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<()> {
    let scratch = tempfile::Builder::new().prefix(".part-").tempdir_in(folder);
    let scratch = scratch.map_err(|source| Error::FileWrite {
        path: folder.to_owned(),
        source,
    })?;
    let store = Store::create(scratch.path().join("scratch.db")).await?;
    let filled = async {
        let mut refill = store.refill().await?;
        fill(&mut refill, path, "verify", progress, stop).await?;
        refill.finish().await
    };
    let filled = filled.await;
    store.close().await;
    filled
}

/// Stores every row and counts what is there then.
async fn fill(
    refill: &mut Refill<'_>,
    path: &Path,
    phase: &'static str,
    progress: &mut (dyn FnMut(Progress) + Send),
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<()> {
    let (mut reader, contents) = Reader::open(path)?;
    check(path, &contents)?;
    let (mut done, total) = (0, contents.rows());
    for table in &contents.tables {
        let into = refill.table(&table.name, &table.columns).await?;
        let into = into.ok_or_else(|| {
            unusable(
                path,
                format!("table {} has a column that is unknown here", table.name),
            )
        })?;
        let mut left = table.rows;
        while left > 0 {
            if stop() {
                return Err(Error::Stopped);
            }
            let rows = batch(&mut reader, table, left.min(BATCH))?;
            (left, done) = (left - rows.len() as u64, done + rows.len() as u64);
            refill.insert(&into, rows).await?;
            progress(step(phase, done, total));
        }
    }
    reader.finish()?;
    for table in &contents.tables {
        let (there, said) = (refill.count(&table.name).await?, table.rows);
        if there != said {
            let problem = format!("{there} of {said} rows of {} were restored", table.name);
            return Err(unusable(path, problem));
        }
    }
    Ok(())
}

fn batch(reader: &mut Reader, table: &TableContents, rows: u64) -> Result<Vec<Vec<Cell>>> {
    (0..rows).map(|_| reader.row(table.columns.len())).collect()
}
