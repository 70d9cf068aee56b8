//! Reads MessagePack within bounds: no length that is declared is believed before the bytes are there.

use rmpv::Value as Pack;

use crate::codec::builder::Builder;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::limits::Limits;
use crate::value::{BigInt, Value};

pub(crate) fn decode(bytes: &[u8], limits: &Limits) -> Result<Value, DecodeError> {
    let mut builder = Builder::new(limits);
    let rest = read(bytes, &mut builder).map_err(|error| builder.locate(error))?;
    match builder.into_root() {
        Some(value) if rest.is_empty() => Ok(value),
        _ => Err(syntax("bytes after the end of the msgpack")),
    }
}

/// Reads one whole value; gives the bytes after it.
fn read<'a>(mut bytes: &'a [u8], builder: &mut Builder) -> Result<&'a [u8], DecodeError> {
    // How many items each open list or map still needs; keys and values count one each.
    let mut open: Vec<u64> = Vec::new();
    loop {
        let (count, after) = match container(bytes)? {
            Some((Container::List, count, after)) => {
                builder.open_list()?;
                (count, after)
            }
            Some((Container::Map, count, after)) => {
                builder.open_map()?;
                (count * 2, after)
            }
            None => {
                builder.spend(1)?;
                let (value, after) = scalar(bytes)?;
                builder.put(value)?;
                bytes = after;
                if close(&mut open, builder)? {
                    return Ok(bytes);
                }
                continue;
            }
        };
        bytes = after;
        open.push(count);
        if count == 0 && close_empty(&mut open, builder)? {
            return Ok(bytes);
        }
    }
}

/// Counts a finished item; true when nothing is open any more.
fn close(open: &mut Vec<u64>, builder: &mut Builder) -> Result<bool, DecodeError> {
    while let Some(left) = open.last_mut() {
        *left -= 1;
        if *left > 0 {
            return Ok(false);
        }
        open.pop();
        let value = builder
            .close()
            .ok_or_else(|| syntax("unbalanced msgpack"))?;
        builder.put(value)?;
    }
    Ok(true)
}

/// Closes a list or map without items.
fn close_empty(open: &mut Vec<u64>, builder: &mut Builder) -> Result<bool, DecodeError> {
    open.pop();
    let value = builder
        .close()
        .ok_or_else(|| syntax("unbalanced msgpack"))?;
    builder.put(value)?;
    close(open, builder)
}

enum Container {
    List,
    Map,
}

/// A list or map that begins: its number of entries, and the bytes after its marker.
type Opened<'a> = (Container, u64, &'a [u8]);

/// Reads the marker of a list or map; `None` for a scalar.
fn container(bytes: &[u8]) -> Result<Option<Opened<'_>>, DecodeError> {
    let (&marker, rest) = bytes.split_first().ok_or_else(early)?;
    let (kind, width) = match marker {
        0x80..=0x8f => return Ok(Some((Container::Map, u64::from(marker & 0x0f), rest))),
        0x90..=0x9f => return Ok(Some((Container::List, u64::from(marker & 0x0f), rest))),
        0xdc => (Container::List, 2),
        0xdd => (Container::List, 4),
        0xde => (Container::Map, 2),
        0xdf => (Container::Map, 4),
        _ => return Ok(None),
    };
    let (count, rest) = rest.split_at_checked(width).ok_or_else(early)?;
    let count = count
        .iter()
        .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    Ok(Some((kind, count, rest)))
}

fn scalar(bytes: &[u8]) -> Result<(Value, &[u8]), DecodeError> {
    let mut rest = bytes;
    let pack = rmpv::decode::read_value(&mut rest)
        .map_err(|error| syntax(&format!("bad msgpack: {error}")))?;
    let value = match pack {
        Pack::Nil if bytes.first() == Some(&0xc1) => return Err(syntax("byte c1 is not msgpack")),
        Pack::Nil => Value::Null,
        Pack::Boolean(value) => Value::Bool(value),
        Pack::Integer(value) => integer(value),
        Pack::F32(value) => Value::Float(f64::from(value)),
        Pack::F64(value) => Value::Float(value),
        Pack::String(text) => {
            Value::Str(text.into_str().ok_or_else(|| syntax("text is not UTF-8"))?)
        }
        Pack::Binary(bytes) => Value::Bytes(bytes),
        Pack::Ext(kind, _) => {
            let detail = format!("msgpack extension type {kind} is not supported");
            return Err(DecodeError::new(DecodeErrorKind::Type, detail));
        }
        Pack::Array(_) | Pack::Map(_) => return Err(syntax("unbalanced msgpack")),
    };
    Ok((value, rest))
}

fn integer(value: rmpv::Integer) -> Value {
    match (value.as_i64(), value.as_u64()) {
        (None, Some(large)) => Value::BigInt(BigInt::from(u128::from(large))),
        (small, _) => Value::Int(small.unwrap_or_default()),
    }
}

fn early() -> DecodeError {
    syntax("msgpack ends too early")
}

fn syntax(detail: &str) -> DecodeError {
    DecodeError::new(DecodeErrorKind::Syntax, detail)
}
