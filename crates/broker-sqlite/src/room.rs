//! The room that publishing leaves on the disk. What frees room, such as an acknowledgement, needs some to be written down
//! first: without this, a disk that the queue itself has filled could not be drained. And the write-ahead log grows as long as another
//! program reads in one transaction; publishing must not fill the disk with it.

use std::path::Path;

use nix::sys::statvfs::statvfs;

use crate::error::{Result, SqliteError};
use crate::reads;
use crate::store::Store;

/// Twice what the write-ahead log grows to, and its copy in the database.
const KEPT_BYTES: u64 = 64 << 20;

/// On a small disk this part of it.
const KEPT_PART: u64 = 20;

/// Free and kept bytes of the disk that a path is on; nothing where the system does not say.
pub(crate) fn free_and_kept(path: &Path) -> Option<(u64, u64)> {
    let disk = statvfs(path).ok()?;
    let unit = disk.fragment_size();
    let free = disk.blocks_available().saturating_mul(unit);
    let size = disk.blocks().saturating_mul(unit);
    Some((free, KEPT_BYTES.min(size / KEPT_PART)))
}

/// Refuses when only the kept room is left, on the disk and within the file, or when the log has grown too long.
pub(crate) async fn check(store: &Store) -> Result<()> {
    let (path, readers) = (store.options().path(), &store.readers);
    check_log(store)?;
    let Some((free, kept)) = free_and_kept(path) else {
        return Ok(());
    };
    if free >= kept || free + reads::unused_bytes(readers).await? >= kept {
        return Ok(());
    }
    Err(SqliteError::NoRoom {
        path: path.to_owned(),
        free,
        kept,
    })
}

fn check_log(store: &Store) -> Result<()> {
    let bytes = std::fs::metadata(store.log()).map_or(0, |log| log.len());
    if bytes <= store.options().max_log {
        return Ok(());
    }
    let path = store.log();
    Err(SqliteError::LongLog { path, bytes })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_disk_keeps_a_part_of_itself_but_not_more_than_the_bound() {
        let (_, kept) = free_and_kept(Path::new("/")).unwrap();
        assert!(kept > 0 && kept <= KEPT_BYTES);
        assert!(free_and_kept(Path::new("/no/such/place")).is_none());
    }
}
