//! A cache of closing prices in one file beside a SQLite database: a block of bytes for each asset, many times faster to read
//! than rows.
//!
//! It is never a source of truth. Each block carries the asset's revision (see [`super::revisions`]) and is right only while
//! that is still the database's; the file as a whole carries the name that the database knows it by. A file is written as a
//! new one that then takes the place of the old, and every part of it is checked when it is read.

mod block;
mod layout;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::civil::Date;
use sha2::{Digest as _, Sha256};
use tempfile::Builder;

use block::Decoder;
use layout::{Head, Slot};

use crate::carried::Carried;
use crate::decimal::Decimal;

/// What the database knows a file by.
pub(super) type Token = [u8; 16];

/// Unfinished files that are older were left by processes that ended.
const ABANDONED: Duration = Duration::from_mins(10);

/// Where the file of a database is.
pub(super) fn beside(database: &Path) -> PathBuf {
    with_suffix(database, ".prices")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// What the prices of an asset were read at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// How often the asset had been written.
    pub(super) revision: i64,
    /// The last day of all its prices, adjusted ones too; `None` without prices.
    pub(super) last: Option<Date>,
}

/// An open file.
pub(super) struct PriceFile {
    file: File,
    slots: BTreeMap<i64, Slot>,
    decoder: Decoder,
}

impl PriceFile {
    /// `None` when there is none, or another one than the database knows.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub(super) fn open(path: &Path, token: Token) -> io::Result<Option<PriceFile>> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(slots) = Head::read(&mut file, token)? else {
            return Ok(None);
        };
        Ok(Some(PriceFile {
            file,
            slots,
            decoder: Decoder::default(),
        }))
    }

    /// How many assets it has.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The stamp of an asset.
    pub(super) fn stamp(&self, asset_id: i64) -> Option<Stamp> {
        self.slots.get(&asset_id).map(|slot| slot.stamp)
    }

    /// The closes of an asset that it has.
    ///
    /// # Errors
    /// When they cannot be read, or are damaged.
    pub(super) fn closes(&mut self, asset_id: i64) -> io::Result<Option<Carried<Decimal>>> {
        let Some(slot) = self.slots.get(&asset_id).copied() else {
            return Ok(None);
        };
        let bytes = self.bytes(slot)?;
        let closes = self.decoder.decode(&bytes).ok_or_else(damaged)?;
        Ok(Some(closes))
    }

    fn bytes(&mut self, slot: Slot) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(slot.length).map_err(|_| damaged())?];
        self.file.seek(SeekFrom::Start(slot.offset))?;
        self.file.read_exact(&mut bytes)?;
        let whole = Sha256::digest(&bytes)[..] == slot.hash;
        if whole { Ok(bytes) } else { Err(damaged()) }
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is damaged")
}

/// A block to be written.
struct NewBlock {
    asset_id: i64,
    stamp: Stamp,
    bytes: Vec<u8>,
}

/// The blocks of a new file.
#[derive(Default)]
pub(super) struct NewFile {
    blocks: Vec<NewBlock>,
}

impl NewFile {
    /// Adds an asset; one whose prices fit no block is left out.
    pub(super) fn add(&mut self, asset_id: i64, stamp: Stamp, closes: &Carried<Decimal>) {
        let block = block::encode(closes).map(|bytes| NewBlock {
            asset_id,
            stamp,
            bytes,
        });
        self.blocks.extend(block);
    }

    /// Adds what an older file has of other assets.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub(super) fn add_others(&mut self, mut older: PriceFile) -> io::Result<()> {
        for block in &self.blocks {
            older.slots.remove(&block.asset_id);
        }
        for (asset_id, slot) in std::mem::take(&mut older.slots) {
            self.blocks.push(NewBlock {
                asset_id,
                stamp: slot.stamp,
                bytes: older.bytes(slot)?,
            });
        }
        Ok(())
    }

    /// Takes the place of the file at `path`; whoever may read the database may read it.
    ///
    /// # Errors
    /// When it cannot be written. What was there is still there then.
    pub(super) fn write(self, path: &Path, token: Token) -> io::Result<()> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let name = path.file_name().unwrap_or_default();
        let prefix = with_suffix(Path::new(name), "-unfinished-").into_os_string();
        remove_abandoned(folder, &prefix);
        let mut unfinished = Builder::new().prefix(&prefix).tempfile_in(folder)?;
        let blocks = &self.blocks;
        let slots = Slot::in_a_row(
            blocks
                .iter()
                .map(|block| (block.asset_id, block.stamp, block.bytes.as_slice())),
        );
        unfinished.write_all(&Head::bytes(token, &slots))?;
        for block in blocks {
            unfinished.write_all(&block.bytes)?;
        }
        if let Ok(database) = fs::metadata(path.with_extension("")) {
            fs::set_permissions(unfinished.path(), database.permissions())?;
        }
        unfinished
            .persist(path)
            .map(drop)
            .map_err(|error| error.error)
    }
}

/// What processes that ended while they wrote have left.
fn remove_abandoned(folder: &Path, prefix: &OsStr) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let unfinished = name
            .as_encoded_bytes()
            .starts_with(prefix.as_encoded_bytes());
        let written = entry.metadata().and_then(|metadata| metadata.modified());
        let age = written
            .ok()
            .and_then(|time| SystemTime::now().duration_since(time).ok());
        if unfinished && age.is_some_and(|age| age > ABANDONED) {
            // Whatever stays is tried again with the next file.
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests;
