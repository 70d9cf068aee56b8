//! Where the file is and how it is used, read from a URL.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use broker::BrokerError;

use crate::error::{Result, SqliteError};

const KNOWN: &str =
    "synchronous=normal|full, busy_timeout=SECONDS, mode=rwc|rw, max_size=BYTES, max_log=BYTES";

/// How the broker's file is opened: `sqlite:path/to/file.db?synchronous=full`.
///
/// | option         | default  | meaning                                                                    |
/// |----------------|----------|----------------------------------------------------------------------------|
/// | `synchronous`  | `normal` | `normal` survives the death of every process; `full` also a power cut      |
/// | `busy_timeout` | `5`      | seconds to wait for another process that writes                            |
/// | `mode`         | `rwc`    | `rwc` creates the file and its folder when missing, `rw` does not          |
/// | `max_size`     | none     | bytes that the database may grow to; publishing over it fails as full      |
/// | `max_log`      | 1 GiB    | bytes of the write-ahead log over which publishing fails as full           |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteOptions {
    pub(crate) path: PathBuf,
    pub(crate) synchronous: Synchronous,
    pub(crate) busy_timeout: Duration,
    pub(crate) create: bool,
    pub(crate) max_size: Option<u64>,
    pub(crate) max_log: u64,
}

const MAX_LOG: u64 = 1 << 30;

/// When SQLite waits for the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// A commit survives the death of every process, but not a power cut or a crash of the system.
    #[default]
    Normal,
    /// A commit is on the disk before it is confirmed.
    Full,
}

impl SqliteOptions {
    /// The defaults for the file at this path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            synchronous: Synchronous::Normal,
            busy_timeout: Duration::from_secs(5),
            create: true,
            max_size: None,
            max_log: MAX_LOG,
        }
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Chooses when SQLite waits for the disk.
    #[must_use]
    pub fn with_synchronous(self, synchronous: Synchronous) -> Self {
        Self {
            synchronous,
            ..self
        }
    }

    /// Bounds the database file.
    #[must_use]
    pub fn with_max_size(self, bytes: u64) -> Self {
        Self {
            max_size: Some(bytes),
            ..self
        }
    }

    /// Bounds the write-ahead log: it grows while another program reads the file in one long transaction.
    #[must_use]
    pub fn with_max_log(self, bytes: u64) -> Self {
        Self {
            max_log: bytes,
            ..self
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let rest = text.strip_prefix("sqlite:").ok_or_else(|| {
            SqliteError::Url(format!(
                "{text:?} is not a SQLite URL; write sqlite:path/to/file.db"
            ))
        })?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = path.strip_prefix("//").unwrap_or(path);
        let options = Self::new(check_path(&percent_decoded(path))?);
        url::form_urlencoded::parse(query.as_bytes())
            .try_fold(options, |options, (name, value)| options.set(&name, &value))
    }

    fn set(self, name: &str, value: &str) -> Result<Self> {
        let wrong = || {
            SqliteError::Url(format!(
                "the option {name}={value} is not known; known are {KNOWN}"
            ))
        };
        Ok(match (name, value) {
            ("synchronous", "normal") => self.with_synchronous(Synchronous::Normal),
            ("synchronous", "full") => self.with_synchronous(Synchronous::Full),
            ("mode", "rwc") => Self {
                create: true,
                ..self
            },
            ("mode", "rw") => Self {
                create: false,
                ..self
            },
            ("busy_timeout", seconds) => {
                let seconds = seconds.parse().map_err(|_| wrong())?;
                let busy_timeout = Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?;
                Self {
                    busy_timeout,
                    ..self
                }
            }
            ("max_size", bytes) => self.with_max_size(bytes.parse().map_err(|_| wrong())?),
            ("max_log", bytes) => self.with_max_log(bytes.parse().map_err(|_| wrong())?),
            _ => return Err(wrong()),
        })
    }
}

impl FromStr for SqliteOptions {
    type Err = BrokerError;

    fn from_str(text: &str) -> Result<Self, BrokerError> {
        Ok(Self::parse(text)?)
    }
}

fn percent_decoded(path: &str) -> String {
    // A form's plus sign means a space; in a path it is itself.
    let escaped = path
        .replace('+', "%2B")
        .replace('&', "%26")
        .replace('=', "%3D");
    url::form_urlencoded::parse(escaped.as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect()
}

fn check_path(path: &str) -> Result<PathBuf> {
    match path {
        "" | "/" => Err(SqliteError::Url("the SQLite URL names no file; write sqlite:path/to/file.db".into())),
        ":memory:" | "/:memory:" => Err(SqliteError::Url(
            "sqlite::memory: cannot be shared by processes; use the memory broker (memory://) or name a file".into(),
        )),
        path => Ok(PathBuf::from(path)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn paths_are_relative_or_absolute() {
        let cases = [
            ("sqlite:data/broker.db", "data/broker.db"),
            ("sqlite:/var/lib/broker.db", "/var/lib/broker.db"),
            ("sqlite:///var/lib/broker.db", "/var/lib/broker.db"),
            ("sqlite://data/broker.db", "data/broker.db"),
            ("sqlite:a%20b+c&d=e.db?mode=rw", "a b+c&d=e.db"),
        ];
        for (url, path) in cases {
            assert_eq!(
                url.parse::<SqliteOptions>().unwrap().path(),
                Path::new(path),
                "{url}"
            );
        }
    }

    #[test]
    fn options_are_read() {
        let options: SqliteOptions =
            "sqlite:a.db?synchronous=full&busy_timeout=0.5&mode=rw&max_size=1000000&max_log=9000000"
                .parse()
                .unwrap();
        let expected = SqliteOptions {
            busy_timeout: Duration::from_millis(500),
            create: false,
            ..SqliteOptions::new("a.db")
                .with_synchronous(Synchronous::Full)
                .with_max_size(1_000_000)
                .with_max_log(9_000_000)
        };
        assert_eq!(options, expected);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            ("sqlite::memory:", "memory broker"),
            ("sqlite:", "names no file"),
            ("redis://localhost", "not a SQLite URL"),
            (
                "sqlite:a.db?synchronous=off",
                "synchronous=off is not known",
            ),
            ("sqlite:a.db?busy_timeout=-1", "busy_timeout=-1"),
            ("sqlite:a.db?cache=shared", "known are synchronous="),
        ];
        for (url, part) in cases {
            let error = url.parse::<SqliteOptions>().unwrap_err();
            assert_eq!(error.kind(), broker::ErrorKind::Invalid);
            assert!(error.to_string().contains(part), "{url}: {error}");
        }
    }
}
