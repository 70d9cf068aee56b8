//! Compact records of our own fixed types: a format byte, then bincode with a size bound.
//!
//! Never for the wire to other programs and never for dynamic values: bincode cannot read those back.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{DecodeError, DecodeErrorKind, EncodeError};

/// Writes `record` in at most `N` bytes, after the byte `format` that says which type it is.
///
/// # Errors
/// When the record is larger or its type has no fixed layout.
pub fn encode<const N: usize, T: Serialize>(
    format: u8,
    record: &T,
) -> Result<Vec<u8>, EncodeError> {
    let config = bincode::config::legacy().with_limit::<N>();
    let mut out = vec![format];
    bincode::serde::encode_into_std_write(record, &mut out, config).map_err(|error| {
        EncodeError::Compact {
            message: error.to_string(),
        }
    })?;
    if out.len() > N {
        let message = format!("{} bytes, the limit is {N}", out.len());
        return Err(EncodeError::Compact { message });
    }
    Ok(out)
}

/// Reads a record of at most `N` bytes that was written with the same `format`.
///
/// # Errors
/// When the format is another one, or the bytes are not one whole record of this type.
pub fn decode<const N: usize, T: DeserializeOwned>(
    format: u8,
    bytes: &[u8],
) -> Result<T, DecodeError> {
    let fault = |kind, detail: String| Err(DecodeError::new(kind, detail));
    if bytes.len() > N {
        let detail = format!("compact record of {} bytes, the limit is {N}", bytes.len());
        return fault(DecodeErrorKind::TooLarge, detail);
    }
    match bytes.split_first() {
        Some((found, rest)) if *found == format => read::<N, T>(rest),
        Some((found, _)) => {
            let detail = format!("compact record of format {found}, expected {format}");
            fault(DecodeErrorKind::Syntax, detail)
        }
        None => fault(DecodeErrorKind::Syntax, "empty compact record".to_owned()),
    }
}

fn read<const N: usize, T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let config = bincode::config::legacy().with_limit::<N>();
    let fault = |detail| DecodeError::new(DecodeErrorKind::Syntax, detail);
    let (record, used) = bincode::serde::decode_from_slice(bytes, config)
        .map_err(|error| fault(format!("bad compact record: {error}")))?;
    match bytes.len() - used {
        0 => Ok(record),
        left => Err(fault(format!(
            "{left} bytes after the end of the compact record"
        ))),
    }
}
