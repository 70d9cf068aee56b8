//! Deleting old files and empty folders below one folder. Links are not followed and not deleted; files that a running
//! process has open stay.

use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::logs::{Failure, OpenFiles};

/// What was deleted, or with `dry_run` would be.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    pub(super) files_deleted: u64,
    pub(super) dirs_deleted: u64,
    pub(super) bytes_freed: u64,
    pub(super) skipped_in_use: u64,
    pub(super) failures: Vec<Failure>,
}

/// Deletes what was last changed before `oldest`. The folder itself stays.
pub(super) fn sweep(folder: &Path, oldest: SystemTime, dry_run: bool) -> Sweep {
    let mut run = Sweeper {
        oldest,
        dry_run,
        open: OpenFiles::read(),
        sweep: Sweep::default(),
    };
    run.folder(folder);
    run.sweep
}

struct Sweeper {
    oldest: SystemTime,
    dry_run: bool,
    open: OpenFiles,
    sweep: Sweep,
}

impl Sweeper {
    /// True when nothing is left in it.
    fn folder(&mut self, folder: &Path) -> bool {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.failed(folder.to_owned(), error),
        };
        let mut empty = true;
        for entry in entries {
            empty &= match entry {
                Ok(entry) => self.entry(&entry),
                Err(error) => self.failed(folder.to_owned(), error),
            };
        }
        empty
    }

    /// True when it is gone.
    fn entry(&mut self, entry: &DirEntry) -> bool {
        // Of the entry itself: a link is no file here.
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return true,
            Err(error) => return self.failed(entry.path(), error),
        };
        if metadata.is_dir() {
            self.subfolder(&entry.path(), &metadata)
        } else if metadata.is_file() && self.is_old(&metadata) {
            self.file(&entry.path(), &metadata)
        } else {
            false
        }
    }

    /// A new folder stays though it is empty: somebody may be about to fill it.
    fn subfolder(&mut self, path: &Path, metadata: &Metadata) -> bool {
        let old = self.is_old(metadata);
        if !self.folder(path) || !old {
            return false;
        }
        let gone = self.dry_run || fs::remove_dir(path).is_ok();
        self.sweep.dirs_deleted += u64::from(gone);
        gone
    }

    fn file(&mut self, path: &Path, metadata: &Metadata) -> bool {
        if self.open.contains(metadata) {
            self.sweep.skipped_in_use += 1;
            return false;
        }
        if !self.dry_run
            && let Err(error) = fs::remove_file(path)
        {
            return self.failed(path.to_owned(), error);
        }
        self.sweep.files_deleted += 1;
        self.sweep.bytes_freed += metadata.len();
        true
    }

    fn is_old(&self, metadata: &Metadata) -> bool {
        metadata.modified().is_ok_and(|time| time < self.oldest)
    }

    fn failed(&mut self, path: PathBuf, error: io::Error) -> bool {
        self.sweep.failures.push(Failure { path, error });
        false
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn old(path: &Path) -> File {
        fs::write(path, "12345").unwrap();
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - 2 * HOUR).unwrap();
        file
    }

    #[test]
    fn old_files_go_and_everything_else_stays() {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = folder.path();
        drop(old(&root.join("old")));
        drop(old(&outside.path().join("secret")));
        fs::write(root.join("new"), "1").unwrap();
        let held = old(&root.join("held"));
        symlink(outside.path(), root.join("way-out")).unwrap();
        fs::create_dir(root.join("folder")).unwrap();
        drop(old(&root.join("folder/old")));
        let cut = SystemTime::now() - HOUR;

        let dry = sweep(root, cut, true);
        assert_eq!(
            (dry.files_deleted, dry.bytes_freed, dry.skipped_in_use),
            (2, 10, 1)
        );
        assert!(root.join("old").exists());

        let done = sweep(root, cut, false);
        assert_eq!(
            (done.files_deleted, done.bytes_freed, done.skipped_in_use),
            (2, 10, 1)
        );
        assert!(done.failures.is_empty());
        assert!(!root.join("old").exists() && root.join("new").exists());
        assert!(outside.path().join("secret").exists());
        // The folder was changed just now: it waits for the next time.
        assert!(root.join("folder").exists());
        drop(held);
        assert_eq!(sweep(root, cut, false).files_deleted, 1);
    }
}
