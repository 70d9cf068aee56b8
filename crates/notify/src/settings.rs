//! The ways out of this installation. Where the values come from is the caller's business.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Every way out; what is absent is not set up, and skipped.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The mail server.
    pub email: Option<EmailSettings>,
    /// Where webhooks go for users without an address of their own.
    pub webhook: Option<WebhookSettings>,
    /// The push gateway.
    pub push: Option<PushSettings>,
    /// Whether users' own webhooks may go to this machine and the networks behind it.
    pub allow_internal: bool,
}

/// How a connection to the mail server is kept secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// STARTTLS; a server that does not offer it gets no mail.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Not at all: for a server on this machine.
    None,
}

/// A mail server. Its `Debug` form leaves out the password.
#[derive(Clone)]
pub struct EmailSettings {
    /// Its name, which its certificate must have.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept secret.
    pub security: Security,
    /// User and password, when it wants them.
    pub login: Option<(String, String)>,
    /// The sender's address.
    pub from: String,
    /// Certificates to trust beside the system's, as PEM.
    pub ca_file: Option<PathBuf>,
    /// How long one mail may take, from connecting to the server's last word.
    pub timeout: Duration,
}

impl fmt::Debug for EmailSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmailSettings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// Where webhooks go and what they are signed with. Its `Debug` form leaves out the secret.
#[derive(Clone)]
pub struct WebhookSettings {
    /// The address.
    pub url: String,
    /// What the receiver knows too.
    pub secret: String,
}

impl fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSettings").finish_non_exhaustive()
    }
}

/// A push gateway. Its `Debug` form leaves out the token.
#[derive(Clone)]
pub struct PushSettings {
    /// The address.
    pub url: String,
    /// What the gateway knows this installation by.
    pub token: Option<String>,
}

impl fmt::Debug for PushSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushSettings")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
