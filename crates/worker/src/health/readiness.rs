//! Whether a worker consumes, in words.

use std::fmt;
use std::time::Duration;

/// Whether a worker consumes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Readiness {
    /// It does not consume yet.
    #[default]
    Starting,
    /// It takes what is ready.
    Ready,
    /// The broker does not answer. The worker waits for it.
    Disconnected,
    /// Its queues have ready messages and it has free slots, and yet it has taken nothing for this long.
    Stalled(Duration),
    /// It takes nothing new any more.
    Stopping,
}

impl Readiness {
    /// Whether it consumes.
    pub fn is_ready(self) -> bool {
        self == Self::Ready
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("starting"),
            Self::Ready => f.write_str("ready"),
            Self::Disconnected => f.write_str("the broker does not answer"),
            Self::Stalled(time) => write!(
                f,
                "stalled: messages are ready and slots are free, but nothing was taken for {} s",
                time.as_secs()
            ),
            Self::Stopping => f.write_str("stopping"),
        }
    }
}
