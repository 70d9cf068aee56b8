//! Where the outbox is, and its bounds.

use std::path::PathBuf;
use std::time::Duration;

/// Where the outbox is, and its bounds.
#[derive(Clone, Debug)]
pub struct OutboxOptions {
    /// The file; it is made, with its folder, when it is not there.
    pub path: PathBuf,
    /// Most messages that wait.
    pub max_messages: u64,
    /// Most bytes that wait, of messages as they are stored.
    pub max_bytes: u64,
    /// How long the broker may take for a publication before it goes into the file.
    pub timeout: Duration,
}

impl OutboxOptions {
    /// 100,000 messages, 256 MiB, two seconds.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            max_messages: 100_000,
            max_bytes: 256 << 20,
            timeout: Duration::from_secs(2),
        }
    }
}
