//! The head of a price file: what it is, whose it is, and where each asset's block lies. All numbers are little-endian.

use std::collections::BTreeMap;
use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use super::{Stamp, Token, block, damaged};

const MAGIC: &[u8; 8] = b"CLRPRICE";
/// Another one for every other layout.
const VERSION: u32 = 1;
/// Bytes of magic, version, token and the number of slots.
const FIXED: usize = 32;
/// Bytes of a slot.
const SLOT: usize = 72;
/// Bytes of a hash.
const HASH: usize = 32;
/// Stands for no last day.
const NEVER: i32 = i32::MIN;

/// Where the block of an asset lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    asset_id: i64,
    pub(super) stamp: Stamp,
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) hash: [u8; HASH],
}

impl Slot {
    /// Of blocks that follow each other after the head.
    pub(super) fn in_a_row<'b>(
        blocks: impl ExactSizeIterator<Item = (i64, Stamp, &'b [u8])>,
    ) -> Vec<Slot> {
        let mut offset = (FIXED + blocks.len() * SLOT + HASH) as u64;
        let slot = |(asset_id, stamp, bytes): (i64, Stamp, &[u8])| {
            let slot = Slot {
                asset_id,
                stamp,
                offset,
                length: bytes.len() as u64,
                hash: Sha256::digest(bytes).into(),
            };
            offset += slot.length;
            slot
        };
        blocks.map(slot).collect()
    }

    fn push(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.asset_id.to_le_bytes());
        bytes.extend(self.stamp.revision.to_le_bytes());
        let last = self.stamp.last.map_or(NEVER, block::number);
        bytes.extend(i64::from(last).to_le_bytes());
        bytes.extend(self.offset.to_le_bytes());
        bytes.extend(self.length.to_le_bytes());
        bytes.extend(self.hash);
    }

    fn of(bytes: &[u8; SLOT]) -> Option<Slot> {
        let (numbers, hash) = bytes.split_last_chunk::<HASH>()?;
        let (numbers, _) = numbers.as_chunks::<8>();
        let [asset_id, revision, last, offset, length] = *numbers else {
            return None;
        };
        let last = i32::try_from(i64::from_le_bytes(last)).ok()?;
        Some(Slot {
            asset_id: i64::from_le_bytes(asset_id),
            stamp: Stamp {
                revision: i64::from_le_bytes(revision),
                last: (last != NEVER).then(|| block::day(last)),
            },
            offset: u64::from_le_bytes(offset),
            length: u64::from_le_bytes(length),
            hash: *hash,
        })
    }
}

/// The beginning of a file.
pub(super) struct Head;

impl Head {
    pub(super) fn bytes(token: Token, slots: &[Slot]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FIXED + slots.len() * SLOT + HASH);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(token);
        let count = u32::try_from(slots.len()).expect("there are fewer than 2^32 assets");
        bytes.extend(count.to_le_bytes());
        slots.iter().for_each(|slot| slot.push(&mut bytes));
        bytes.extend(Sha256::digest(&bytes));
        bytes
    }

    /// The slots by asset; `None` when the file has another token or layout.
    pub(super) fn read(
        file: &mut impl Read,
        token: Token,
    ) -> io::Result<Option<BTreeMap<i64, Slot>>> {
        let mut fixed = [0; FIXED];
        file.read_exact(&mut fixed)?;
        let (magic, rest) = fixed.split_first_chunk::<8>().ok_or_else(damaged)?;
        let (version, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let (found, count) = rest.split_first_chunk::<16>().ok_or_else(damaged)?;
        if magic != MAGIC {
            return Err(damaged());
        }
        if u32::from_le_bytes(*version) != VERSION || *found != token {
            return Ok(None);
        }
        let count = u32::from_le_bytes(count.try_into().map_err(|_| damaged())?);
        let mut slots = Vec::new();
        let length = u64::from(count) * SLOT as u64;
        file.take(length).read_to_end(&mut slots)?;
        let mut hash = [0; HASH];
        file.read_exact(&mut hash)?;
        if Sha256::new()
            .chain_update(fixed)
            .chain_update(&slots)
            .finalize()[..]
            != hash
        {
            return Err(damaged());
        }
        let (slots, _) = slots.as_chunks::<SLOT>();
        let slots: Option<Vec<Slot>> = slots.iter().map(Slot::of).collect();
        let slots = slots.ok_or_else(damaged)?;
        Ok(Some(
            slots
                .into_iter()
                .map(|slot| (slot.asset_id, slot))
                .collect(),
        ))
    }
}
