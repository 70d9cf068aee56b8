//! The marker in front of compressed results: `00 "celery-compressed" 00 ‹mime› 00 ‹bytes›`.

use std::borrow::Cow;

use crate::compression::{Packing, decompress_named};
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::limits::Limits;

const MARKER: &[u8] = b"\0celery-compressed\0";

/// Compresses and marks, where `packing` says so.
pub(super) fn wrap(bytes: Vec<u8>, packing: Packing) -> Result<Vec<u8>, EncodeError> {
    let Some(compression) = packing.choose(&bytes) else {
        return Ok(bytes);
    };
    let packed = compression.compress(&bytes)?;
    Ok([
        MARKER,
        compression.content_type().as_bytes(),
        b"\0",
        &packed,
    ]
    .concat())
}

/// Decompresses what is marked; leaves anything else as it is.
pub(super) fn unwrap<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Cow<'a, [u8]>, DecodeError> {
    let Some(rest) = bytes.strip_prefix(MARKER) else {
        return Ok(Cow::Borrowed(bytes));
    };
    let name_end = rest.iter().position(|&byte| byte == 0);
    let name =
        name_end.and_then(|end| Some((std::str::from_utf8(&rest[..end]).ok()?, &rest[end + 1..])));
    let (name, packed) = name.ok_or_else(|| {
        DecodeError::new(
            DecodeErrorKind::Compression,
            "compression marker without a type",
        )
    })?;
    decompress_named(name, packed, limits).map(Cow::Owned)
}
