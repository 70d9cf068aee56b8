//! What can go wrong before anything is sent.

use std::path::PathBuf;

/// An error with what to do about it in its text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The sender's address is none.
    #[error("server_email {address:?} is no mail address: {source}")]
    Sender {
        /// The setting's value.
        address: String,
        /// The reason.
        #[source]
        source: lettre::address::AddressError,
    },
    /// The file of certificates cannot be read.
    #[error("cannot read the certificates in {}: {source}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// TLS to the mail server cannot be set up.
    #[error("TLS to the mail server cannot be set up: {0}")]
    Tls(#[source] lettre::transport::smtp::Error),
    /// The HTTP client cannot be made.
    #[error("the client of webhooks and pushes cannot be made: {0}")]
    Http(#[source] reqwest::Error),
    /// A user's webhook goes where only this machine and its networks are.
    #[error(
        "the address is an internal one; users' webhooks go outside only, unless celeriac_webhook_allow_internal is true"
    )]
    Internal,
    /// What became of a channel cannot be noted.
    #[error(transparent)]
    Store(#[from] portfolio::Error),
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
