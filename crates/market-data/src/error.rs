//! What can go wrong between a provider and the store.

use std::time::Duration;

/// An error with the provider's name and what to do about it in its text.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The provider does not know what was asked for. Final.
    #[error("{provider} does not know {what}{looked}")]
    NotFound {
        /// The provider.
        provider: String,
        /// The symbol or currency.
        what: String,
        /// Where it was looked for, where that helps: empty, or such as `: there is no …`.
        looked: String,
    },
    /// The provider refuses the key. Final.
    #[error(
        "{provider} refuses the request ({problem}): check the key in celeriac_market_data_http"
    )]
    Auth {
        /// The provider.
        provider: String,
        /// Its answer.
        problem: String,
    },
    /// Too many requests, or the quota is used up.
    #[error("{provider} wants fewer requests: {problem}")]
    RateLimited {
        /// The provider.
        provider: String,
        /// Its answer.
        problem: String,
        /// The time that it wants to be left alone; none when it does not say.
        wait: Option<Duration>,
    },
    /// The provider cannot be reached, does not answer in time, or fails.
    #[error("{provider} is not available: {problem}")]
    Unavailable {
        /// The provider.
        provider: String,
        /// What happened.
        problem: String,
        /// The time after which it may be; none when unknown.
        wait: Option<Duration>,
    },
    /// The answer is not what the provider's shape promises.
    #[error("{provider} sends what cannot be read: {problem}")]
    BadPayload {
        /// The provider.
        provider: String,
        /// What is wrong.
        problem: String,
    },
    /// The provider does not have this kind of data at all.
    #[error("{provider} has no {what}")]
    Unsupported {
        /// The provider.
        provider: String,
        /// Such as `exchange rates`.
        what: &'static str,
    },
    /// A setting cannot be used.
    #[error("setting celeriac_market_data_{setting}: {problem}")]
    Settings {
        /// The setting, without the part that all of them share.
        setting: String,
        /// What is wrong and what would be right.
        problem: String,
    },
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Error::NotFound { .. } => "not_found",
            Error::Auth { .. } => "auth",
            Error::RateLimited { .. } => "rate_limited",
            Error::Unavailable { .. } => "unavailable",
            Error::BadPayload { .. } => "bad_payload",
            Error::Unsupported { .. } => "unsupported",
            Error::Settings { .. } => "settings",
        }
    }

    /// True when the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Error::RateLimited { .. } | Error::Unavailable { .. } | Error::BadPayload { .. }
        )
    }

    /// How long the provider wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::RateLimited { wait, .. } | Error::Unavailable { wait, .. } => *wait,
            _ => None,
        }
    }

    pub(crate) fn bad_payload(provider: &str, problem: impl Into<String>) -> Error {
        Error::BadPayload {
            provider: provider.to_owned(),
            problem: problem.into(),
        }
    }

    pub(crate) fn unavailable(provider: &str, problem: impl Into<String>) -> Error {
        Error::Unavailable {
            provider: provider.to_owned(),
            problem: problem.into(),
            wait: None,
        }
    }

    pub(crate) fn not_found(provider: &str, what: &str) -> Error {
        Error::NotFound {
            provider: provider.to_owned(),
            what: what.to_owned(),
            looked: String::new(),
        }
    }

    pub(crate) fn unsupported(provider: &str, what: &'static str) -> Error {
        Error::Unsupported {
            provider: provider.to_owned(),
            what,
        }
    }

    pub(crate) fn settings(setting: impl Into<String>, problem: impl Into<String>) -> Error {
        Error::Settings {
            setting: setting.into(),
            problem: problem.into(),
        }
    }
}
