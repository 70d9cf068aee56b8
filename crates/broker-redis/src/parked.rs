//! Parked messages as they are stored: one line of JSON that says what and why, then the message as it was.

use broker::Parked;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    queue: std::borrow::Cow<'a, str>,
    reason: std::borrow::Cow<'a, str>,
    node: std::borrow::Cow<'a, str>,
    at_ms: i64,
}

/// The record of a message that is being parked.
pub(crate) fn write(queue: &str, reason: &str, node: &str, at_ms: i64, raw: &[u8]) -> Vec<u8> {
    let line = Line {
        queue: queue.into(),
        reason: reason.into(),
        node: node.into(),
        at_ms,
    };
    let mut record = serde_json::to_vec(&line).expect("texts and numbers are always JSON");
    record.push(b'\n');
    record.extend_from_slice(raw);
    record
}

/// A record as the seam shows it; `None` when it is not one of ours.
pub(crate) fn read(id: &str, record: &[u8]) -> Option<Parked> {
    let at = record.iter().position(|byte| *byte == b'\n')?;
    let line: Line<'_> = serde_json::from_slice(&record[..at]).ok()?;
    Some(Parked {
        id: id.to_owned(),
        queue: line.queue.into_owned(),
        reason: line.reason.into_owned(),
        at: Timestamp::from_millisecond(line.at_ms).ok()?,
        node: line.node.into_owned(),
        raw: Bytes::copy_from_slice(&record[at + 1..]),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_record_is_read_back_whatever_was_parked() {
        let record = write(
            "q\n",
            "not\nJSON",
            "w@h",
            1_700_000_000_123,
            b"raw\nbytes\xff",
        );
        let parked = read("7", &record).unwrap();
        assert_eq!(
            (
                parked.queue.as_str(),
                parked.reason.as_str(),
                parked.node.as_str()
            ),
            ("q\n", "not\nJSON", "w@h")
        );
        assert_eq!(parked.at.as_millisecond(), 1_700_000_000_123);
        assert_eq!(&parked.raw[..], b"raw\nbytes\xff");
        assert!(read("8", b"junk").is_none());
    }
}
