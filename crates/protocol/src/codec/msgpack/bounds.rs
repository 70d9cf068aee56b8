//! A walk over msgpack bytes that builds nothing: depth, number of values, and that every declared
//! length is really there. What passes can be read by the recursive decoder without surprises.

use super::syntax;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::limits::Limits;

pub(super) fn check(bytes: &[u8], limits: &Limits) -> Result<(), DecodeError> {
    let mut rest = bytes;
    let mut values = limits.values;
    // How many items each open list or map still needs.
    let mut open: Vec<u64> = Vec::new();
    loop {
        values = values.checked_sub(1).ok_or_else(|| {
            DecodeError::new(DecodeErrorKind::TooLarge, "more values than the limit allows")
        })?;
        let (item, after) = item(rest).ok_or_else(|| syntax("msgpack ends too early"))?;
        rest = after;
        if let Item::Items(count @ 1..) = item {
            if open.len() >= limits.depth() {
                let detail = format!("nested deeper than {} levels", limits.depth());
                return Err(DecodeError::new(DecodeErrorKind::TooDeep, detail));
            }
            open.push(count);
            continue;
        }
        if close(&mut open) {
            break;
        }
    }
    if rest.is_empty() { Ok(()) } else { Err(syntax("bytes after the end of the msgpack")) }
}

/// Counts a finished item; true when nothing is open any more.
fn close(open: &mut Vec<u64>) -> bool {
    while let Some(left) = open.last_mut() {
        *left -= 1;
        if *left > 0 {
            return false;
        }
        open.pop();
    }
    true
}

enum Item {
    /// A scalar with its payload.
    Scalar,
    /// A list or map; keys and values count one each.
    Items(u64),
}

/// Skips one marker with its payload.
fn item(bytes: &[u8]) -> Option<(Item, &[u8])> {
    let (&marker, rest) = bytes.split_first()?;
    let scalar = |skip: u64, rest: &'_ [u8]| -> Option<usize> {
        usize::try_from(skip).ok().filter(|skip| *skip <= rest.len())
    };
    let (width, extra) = match marker {
        0x80..=0x8f => return Some((Item::Items(u64::from(marker & 0x0f) * 2), rest)),
        0x90..=0x9f => return Some((Item::Items(u64::from(marker & 0x0f)), rest)),
        0xa0..=0xbf => (0, u64::from(marker & 0x1f)),
        0xc4 | 0xd9 => (1, 0),
        0xc5 | 0xda | 0xdc | 0xde => (2, 0),
        0xc6 | 0xdb | 0xdd | 0xdf => (4, 0),
        0xc7 => (1, 1),
        0xc8 => (2, 1),
        0xc9 => (4, 1),
        0xca | 0xce | 0xd2 => (0, 4),
        0xcb | 0xcf | 0xd3 => (0, 8),
        0xcc | 0xd0 => (0, 1),
        0xcd | 0xd1 => (0, 2),
        0xd4..=0xd8 => (0, 1 + (1 << (marker - 0xd4))),
        0xc1 => return None,
        _ => (0, 0),
    };
    let (length, rest) = rest.split_at_checked(width)?;
    let length = length.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    match marker {
        0xdc | 0xdd => Some((Item::Items(length), rest)),
        0xde | 0xdf => Some((Item::Items(length * 2), rest)),
        _ => scalar(length + extra, rest).map(|skip| (Item::Scalar, &rest[skip..])),
    }
}
