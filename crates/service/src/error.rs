//! The one error of the composition root, and the exit code that each kind of it ends a program with.

use std::path::PathBuf;

use broker::{BrokerError, ErrorKind};
use protocol::{Codec, Value};
use worker::WorkerError;

use crate::exit::Exit;
use crate::settings::{Entry, Origin, Setting};

/// Why a program could not start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that is no setting.
    #[error("unknown setting `{name}` ({origin}){}", did_you_mean(.nearest.as_deref()))]
    UnknownSetting {
        /// The name.
        name: String,
        /// Who gave it.
        origin: Origin,
        /// The valid name that is nearest to it.
        nearest: Option<String>,
    },
    /// A value that breaks its setting's rule.
    #[error("setting `{name}` is {value} ({origin}): it must be {rule}")]
    InvalidSetting {
        /// The setting.
        name: &'static str,
        /// The value as JSON, secrets hidden.
        value: String,
        /// Who gave it.
        origin: Origin,
        /// What it must be.
        rule: String,
    },
    /// A file that cannot be read.
    #[error("cannot read {}", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file whose text is not of its format.
    #[error("cannot understand {}", path.display())]
    ParseFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A line of `.env` that is none.
    #[error("{}, line {line}: {rule}", path.display())]
    DotEnv {
        /// The file.
        path: PathBuf,
        /// The line's number, from 1.
        line: usize,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// A file or folder that cannot be written.
    #[error("cannot write {}", path.display())]
    WriteFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Options that do not go together, or a value that is no option's.
    #[error("{0}")]
    Usage(String),
    /// A backend that does not open.
    #[error("cannot open {url}")]
    Open {
        /// The URL without its password.
        url: String,
        /// Why.
        source: BrokerError,
    },
    /// A broker operation that failed later.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The worker cannot start or go on.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Telemetry that cannot be set up.
    #[error("cannot set up the export of traces to {endpoint}")]
    Telemetry {
        /// Where to.
        endpoint: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What the program does failed.
    #[error(transparent)]
    Program(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// An error of the program's own.
    pub fn program(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Program(source.into())
    }

    pub(crate) fn invalid(setting: &'static Setting, value: &Value, origin: &Origin) -> Self {
        Self::invalid_rule(setting, value, origin, setting.kind.rule())
    }

    pub(crate) fn invalid_rule(
        setting: &'static Setting,
        value: &Value,
        origin: &Origin,
        rule: impl Into<String>,
    ) -> Self {
        let entry = Entry {
            setting,
            value: value.clone(),
            origin: origin.clone(),
        };
        let value = json_text(&entry.shown());
        Self::InvalidSetting {
            name: setting.name,
            value,
            origin: entry.origin,
            rule: rule.into(),
        }
    }

    /// The exit code that the program ends with.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Open { source, .. } | Self::Broker(source) => broker_exit(source),
            Self::Worker(WorkerError::Setting { .. }) => Exit::Configuration,
            Self::Worker(WorkerError::Stalled { .. }) => Exit::Stalled,
            Self::Worker(WorkerError::Disconnected { .. }) => Exit::Unavailable,
            Self::WriteFile { .. } | Self::Listen { .. } | Self::Program(_) | Self::Worker(_) => {
                Exit::Failure
            }
            _ => Exit::Configuration,
        }
    }
}

fn broker_exit(error: &BrokerError) -> Exit {
    match error.kind() {
        ErrorKind::Invalid | ErrorKind::Denied => Exit::Configuration,
        ErrorKind::Unreachable | ErrorKind::Full => Exit::Unavailable,
        _ => Exit::Failure,
    }
}

/// The error and its causes in one line; a cause that the text names already is not repeated.
pub fn error_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest
        .map(|name| format!(", did you mean `{name}`?"))
        .unwrap_or_default()
}

/// A value as JSON text, for people.
fn json_text(value: &Value) -> String {
    match Codec::Json.encode(value) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => error.to_string(),
    }
}
