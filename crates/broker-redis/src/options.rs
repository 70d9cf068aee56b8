//! Where the server is and how it is spoken to: Celery's URLs and `broker_transport_options`.
//!
//! It reads no file and opens no connection; that is [`crate::link`]'s.

mod transport;
mod url;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use broker::{QueueOrder, Result};
use protocol::Limits;
use serde_json::{Map, Value};

/// A password that no debug output shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Where the server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Host and port; with TLS when options are given.
    Tcp {
        /// Host name or address, IPv6 without brackets.
        host: String,
        /// Port.
        port: u16,
        /// How TLS is spoken; `None` for plain TCP.
        tls: Option<TlsOptions>,
    },
    /// A unix socket.
    Unix(PathBuf),
}

/// Celery's `ssl_*` parameters. Files are PEM and are read when connecting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsOptions {
    /// `ssl_cert_reqs` other than `none`: the server's certificate must be valid.
    pub verify: bool,
    /// `ssl_check_hostname`: the certificate must be for this host.
    pub check_hostname: bool,
    /// `ssl_ca_certs`; `None` trusts the system's authorities.
    pub ca_file: Option<PathBuf>,
    /// `ssl_certfile`, the client's certificate.
    pub cert_file: Option<PathBuf>,
    /// `ssl_keyfile`, the client's key.
    pub key_file: Option<PathBuf>,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            verify: true,
            check_hostname: true,
            ca_file: None,
            cert_file: None,
            key_file: None,
        }
    }
}

/// Everything that is settable about a Redis server, with Celery's names and defaults.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// Where the server listens.
    pub address: Address,
    /// The ACL user.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Secret>,
    /// The database's number.
    pub db: u32,
    /// `socket_connect_timeout`: how long connecting and the handshake may take. 5 s.
    pub connect_timeout: Duration,
    /// Opening does not ask whether the server is there; what is sent first finds that out.
    pub connect_lazily: bool,
    /// `socket_timeout`: how long an answer may take before the connection counts as lost. 10 s.
    pub response_timeout: Duration,
    /// `global_keyprefix`, in front of every key and channel.
    pub global_keyprefix: String,
    /// `visibility_timeout`, when the transport options say one.
    pub visibility_timeout: Option<Duration>,
    /// `queue_order_strategy`, when the transport options say one.
    pub queue_order: Option<QueueOrder>,
    /// `sep`, between a queue and its step and between the parts of a binding.
    pub separator: String,
    /// `priority_steps`, ascending, never empty.
    pub priority_steps: Vec<u8>,
    /// `fanout_prefix`, resolved: `/<db>.` by default.
    pub fanout_prefix: String,
    /// `fanout_patterns`: the routing key is part of a broadcast's channel.
    pub fanout_patterns: bool,
    /// Bounds for decoding replies and results.
    pub limits: Limits,
}

impl RedisOptions {
    /// Reads a URL of section "Redis" of Celery's broker documentation (`redis://`, `rediss://`, `redis+socket://`, `unix://`,
    /// `socket://`) and the transport options. Options that only concern Python's connection pool are ignored.
    ///
    /// # Errors
    /// [`broker::ErrorKind::Invalid`] for anything that cannot be meant.
    pub fn parse(url: &str, transport_options: &Map<String, Value>) -> Result<Self> {
        let mut options = url::parse(url)?;
        options.fanout_prefix = protocol::redis::fanout_prefix(i64::from(options.db));
        transport::apply(&mut options, transport_options)?;
        Ok(options)
    }

    /// Whether both mean the same database of the same server, as far as their text tells.
    pub fn same_server(&self, other: &Self) -> bool {
        self.address == other.address && self.db == other.db && self.username == other.username
    }

    /// The server's name for messages: no credentials in it.
    pub(crate) fn server(&self) -> String {
        match &self.address {
            Address::Tcp { host, port, .. } => format!("{host}:{port}/{}", self.db),
            Address::Unix(path) => format!("{}, database {}", path.display(), self.db),
        }
    }

    fn at(address: Address) -> Self {
        Self {
            address,
            username: None,
            password: None,
            db: 0,
            connect_timeout: Duration::from_secs(5),
            connect_lazily: false,
            response_timeout: Duration::from_secs(10),
            global_keyprefix: String::new(),
            visibility_timeout: None,
            queue_order: None,
            separator: protocol::redis::SEP.to_owned(),
            priority_steps: protocol::redis::PRIORITY_STEPS.to_vec(),
            fanout_prefix: String::new(),
            fanout_patterns: true,
            limits: Limits::default(),
        }
    }
}

#[cfg(test)]
mod tests;
