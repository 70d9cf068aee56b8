//! Which files are open in a running process, as far as this user may see.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;

/// Device and inode of every open regular file; empty where `/proc` does not exist.
pub(crate) struct OpenFiles(HashSet<(u64, u64)>);

impl OpenFiles {
    pub(crate) fn read() -> Self {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let descriptors =
            processes.filter_map(|process| fs::read_dir(process.path().join("fd")).ok());
        let files = descriptors
            .flatten()
            .flatten()
            .filter_map(|descriptor| fs::metadata(descriptor.path()).ok());
        Self(
            files
                .filter(fs::Metadata::is_file)
                .map(|file| (file.dev(), file.ino()))
                .collect(),
        )
    }

    pub(crate) fn contains(&self, file: &fs::Metadata) -> bool {
        self.0.contains(&(file.dev(), file.ino()))
    }
}
