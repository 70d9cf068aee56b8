//! From the database into a file.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tempfile::{Builder, NamedTempFile};

use super::archive::{Writer, measure};
use super::contents::FORMAT;
use super::restore::rehearse;
use super::{Contents, Manifest, Scope, TableContents};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::store::{Frozen, Store};

/// What temporary names begin with.
const UNFINISHED: &str = ".part-";
/// An unfinished file that nobody has written to for this long is of a run that was killed.
const ABANDONED: Duration = Duration::from_secs(3_600);
/// Progress is told after so many rows.
const STEP: u64 = 1_000;

/// What to back up and where to.
#[derive(Clone, Debug)]
pub struct BackupRequest {
    /// Which tables.
    pub scope: Scope,
    /// The folder; made where there is none.
    pub folder: PathBuf,
    /// Compress with zstd.
    pub compress: bool,
    /// Restore it into a scratch database and count.
    pub verify: bool,
    /// The task that asks for it. One that is run again after a kill finds the backup that it had finished.
    pub task_id: Option<String>,
}

/// Writes a backup and its manifest, unless the same task has written it. Phases: `copy`, `compress`, `verify`.
///
/// # Errors
/// A database that cannot be read, a folder that cannot be written, a full disk, a backup that does not verify; or
/// [`Error::Stopped`] once `stop` says so. Nothing of the backup is left then.
pub async fn write(
    store: &Store,
    request: &BackupRequest,
    progress: &mut (dyn FnMut(Progress) + Send),
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Manifest> {
    let folder = &request.folder;
    fs::create_dir_all(folder).map_err(|error| failure(folder, error))?;
    if let Some(manifest) = Manifest::of_task(request)? {
        return Ok(manifest);
    }
    remove_abandoned(folder);
    let unfinished = Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(folder)
        .map_err(|error| failure(folder, error))?;
    let now = Timestamp::now();
    let path = folder.join(name(request, now));
    let written = copy(store, request, now, unfinished.as_file(), progress, stop).await;
    let contents = written.map_err(|error| about(&path, error))?;
    progress(step("compress", 0, 1));
    let synced = unfinished.as_file().sync_all();
    synced.map_err(|error| failure(&path, error))?;
    let (bytes, sha256) = measure(unfinished.path())?;
    progress(step("compress", 1, 1));
    if request.verify {
        rehearse(unfinished.path(), folder, progress, stop).await?;
    }
    let manifest = Manifest {
        file: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        path,
        bytes,
        sha256,
        scope: request.scope,
        schema_version: contents.schema_version,
        created_at: contents.created_at,
        row_counts: contents.row_counts(),
        verified: request.verify,
        task_id: request.task_id.clone(),
    };
    publish(unfinished, &manifest)?;
    Ok(manifest)
}

fn name(request: &BackupRequest, now: Timestamp) -> String {
    let time = format!("{now:.6}").replace(['-', ':'], "");
    let ending = if request.compress { ".zst" } else { "" };
    format!("finance-{}-{time}.jsonl{ending}", request.scope.as_str())
}

/// All rows of one moment.
async fn copy(
    store: &Store,
    request: &BackupRequest,
    now: Timestamp,
    file: &File,
    progress: &mut (dyn FnMut(Progress) + Send),
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Contents, Failed> {
    let mut frozen = store.freeze().await?;
    let contents = contents(&mut frozen, request.scope, now).await?;
    let mut writer = Writer::new(file, request.compress)?;
    writer.contents(&contents)?;
    let (mut done, total) = (0, contents.rows());
    progress(step("copy", done, total));
    for table in &contents.tables {
        let mut each = |cells: Vec<super::Cell>| -> Result<(), Failed> {
            if done % STEP == 0 {
                if stop() {
                    return Err(Error::Stopped.into());
                }
                progress(step("copy", done, total));
            }
            done += 1;
            Ok(writer.row(&cells)?)
        };
        frozen.rows(&table.name, &mut each).await?;
    }
    writer.finish()?;
    progress(step("copy", done, total));
    Ok(contents)
}

async fn contents(frozen: &mut Frozen<'_>, scope: Scope, now: Timestamp) -> Result<Contents> {
    let mut tables = Vec::new();
    for name in scope.tables() {
        tables.push(TableContents {
            name: name.to_owned(),
            columns: frozen.columns(name).await?,
            rows: frozen.count(name).await?,
        });
    }
    Ok(Contents {
        format: FORMAT.to_owned(),
        scope,
        schema_version: crate::store::schema_version(),
        created_at: now,
        tables,
    })
}

/// Gives manifest and backup their names; the backup last, so that one that is there has its manifest.
fn publish(unfinished: NamedTempFile, manifest: &Manifest) -> Result<()> {
    let path = &manifest.path;
    let failed = |error: io::Error| failure(path, error);
    let folder = path.parent().unwrap_or(Path::new("."));
    let place = Manifest::place(path);
    let mut beside = Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(folder)
        .map_err(failed)?;
    let text = serde_json::to_vec_pretty(manifest)?;
    beside.write_all(&text).map_err(failed)?;
    beside.as_file().sync_all().map_err(failed)?;
    beside
        .persist(&place)
        .map_err(|error| failed(error.error))?;
    if let Err(error) = unfinished.persist_noclobber(path) {
        let _ = fs::remove_file(&place);
        return Err(failed(error.error));
    }
    let folder = File::open(folder).map_err(failed)?;
    folder.sync_all().map_err(failed)
}

/// What runs that were killed have left.
fn remove_abandoned(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified
            .ok()
            .and_then(|time| SystemTime::now().duration_since(time).ok());
        if unfinished && age.is_some_and(|age| age > ABANDONED) {
            // Whatever stays is tried again by the next backup.
            let path = entry.path();
            let _ = if path.is_dir() {
                fs::remove_dir_all(path)
            } else {
                fs::remove_file(path)
            };
        }
    }
}

pub(super) fn step(phase: &'static str, current: u64, total: u64) -> Progress {
    Progress {
        phase,
        current,
        total,
    }
}

/// What can go wrong while rows are written.
pub(crate) enum Failed {
    Store(Error),
    Write(io::Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed::Store(error)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Failed {
        Failed::Write(error)
    }
}

fn about(path: &Path, failed: Failed) -> Error {
    match failed {
        Failed::Store(error) => error,
        Failed::Write(error) => failure(path, error),
    }
}

fn failure(path: &Path, source: io::Error) -> Error {
    let path = path.to_owned();
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Error::BackupDiskFull { path, source }
        }
        _ => Error::FileWrite { path, source },
    }
}
