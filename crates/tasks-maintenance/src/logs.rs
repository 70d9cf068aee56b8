//! Compressing and deleting old log files under one folder. It knows files only: no task, no settings.
//!
//! A file counts as a log when its name contains `.log`. A file that a running process has open stays as it is. Links are
//! not followed.

mod open;

use std::fs::{self, DirEntry, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

pub(crate) use open::OpenFiles;

const DAY: Duration = Duration::from_secs(86_400);

/// What to do with logs of which age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Days since the last change after which a log is compressed.
    pub compress_after_days: u32,
    /// Days since the last change after which a log is deleted.
    pub delete_after_days: u32,
    /// Only count what would be done.
    pub dry_run: bool,
}

/// What was done, or with `dry_run` what would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Log files looked at.
    pub scanned: u64,
    /// Files compressed.
    pub compressed: u64,
    /// Files deleted.
    pub deleted: u64,
    /// Bytes that the disk got back. A dry run cannot know what compressing would give, and counts deletions only.
    pub bytes_freed: u64,
    /// Files left alone because a process has them open.
    pub kept_open: u64,
    /// Whether nothing was changed.
    pub dry_run: bool,
}

/// One file that could not be dealt with; the others were.
#[derive(Debug)]
pub struct Failure {
    /// The file or folder.
    pub path: PathBuf,
    /// Why.
    pub error: io::Error,
}

/// Compresses and deletes old logs in `folder` and below it.
///
/// # Errors
/// When `folder` itself cannot be read. What goes wrong with single files is in the returned list.
pub fn clean(
    folder: &Path,
    policy: Policy,
    now: SystemTime,
) -> io::Result<(Summary, Vec<Failure>)> {
    let mut run = Run {
        policy,
        now,
        open: OpenFiles::read(),
        summary: Summary {
            dry_run: policy.dry_run,
            ..Summary::default()
        },
        failures: Vec::new(),
    };
    run.folder(fs::read_dir(folder)?);
    Ok((run.summary, run.failures))
}

struct Run {
    policy: Policy,
    now: SystemTime,
    open: OpenFiles,
    summary: Summary,
    failures: Vec<Failure>,
}

impl Run {
    fn folder(&mut self, entries: fs::ReadDir) {
        for entry in entries.flatten() {
            let path = entry.path();
            if let Err(error) = self.entry(&entry) {
                self.failures.push(Failure { path, error });
            }
        }
    }

    fn entry(&mut self, entry: &DirEntry) -> io::Result<()> {
        let kind = entry.file_type()?;
        if kind.is_dir() {
            self.folder(fs::read_dir(entry.path())?);
        } else if kind.is_file() && is_log(&entry.path()) {
            self.log(&entry.path(), &entry.metadata()?)?;
        }
        Ok(())
    }

    fn log(&mut self, path: &Path, metadata: &fs::Metadata) -> io::Result<()> {
        self.summary.scanned += 1;
        let age = self
            .now
            .duration_since(metadata.modified()?)
            .unwrap_or_default();
        let delete = age > DAY * self.policy.delete_after_days;
        let compress = age > DAY * self.policy.compress_after_days && !is_compressed(path);
        if !delete && !compress {
            return Ok(());
        }
        if self.open.contains(metadata) {
            self.summary.kept_open += 1;
            return Ok(());
        }
        if delete {
            self.delete(path, metadata.len())
        } else {
            self.compress(path, metadata)
        }
    }

    fn delete(&mut self, path: &Path, bytes: u64) -> io::Result<()> {
        if !self.policy.dry_run {
            fs::remove_file(path)?;
        }
        self.summary.deleted += 1;
        self.summary.bytes_freed += bytes;
        Ok(())
    }

    fn compress(&mut self, path: &Path, metadata: &fs::Metadata) -> io::Result<()> {
        if !self.policy.dry_run {
            let left = gzip(path, metadata.modified()?)?;
            self.summary.bytes_freed += metadata.len().saturating_sub(left);
        }
        self.summary.compressed += 1;
        Ok(())
    }
}

fn is_log(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().contains(".log"))
}

fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz")
}

/// Replaces the file by `<name>.gz` with the same modification time, so that its age goes on counting; returns the new size.
fn gzip(path: &Path, modified: SystemTime) -> io::Result<u64> {
    let target = with_suffix(path, ".gz");
    let temporary = with_suffix(path, ".gz.part");
    let bytes = write_gzip(path, &temporary, modified).inspect_err(|_| {
        // Half a file is worth nothing; the original is still there.
        let _ = fs::remove_file(&temporary);
    })?;
    fs::rename(&temporary, &target)?;
    fs::remove_file(path)?;
    Ok(bytes)
}

fn write_gzip(path: &Path, temporary: &Path, modified: SystemTime) -> io::Result<u64> {
    let mut encoder = GzEncoder::new(File::create(temporary)?, Compression::default());
    io::copy(&mut File::open(path)?, &mut encoder)?;
    let mut file = encoder.finish()?;
    file.flush()?;
    file.set_modified(modified)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests;
