//! The settings of a test's Redis server, and the configuration file they become.

use std::fmt::Write;
use std::path::Path;

use super::server::RedisServer;
use crate::certificates::Certificates;

/// Who connects, when the server asks.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    /// The ACL user; none for the server's one password.
    pub(super) user: Option<String>,
    pub(super) password: String,
}

/// Settings of a Redis server that is about to start. Persistence is off unless asked for.
#[derive(Clone, Debug, Default)]
pub struct RedisBuilder {
    pub(super) credentials: Option<Credentials>,
    pub(super) tls: bool,
    directives: Vec<String>,
}

impl RedisBuilder {
    /// Clients must give this password. The text must be free of spaces and quotes.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.credentials = Some(Credentials {
            user: None,
            password: password.to_owned(),
        });
        self.directive(format!("requirepass {password}"))
    }

    /// Clients must be this ACL user, who may do everything; the default user is turned off.
    #[must_use]
    pub fn acl_user(mut self, user: &str, password: &str) -> Self {
        self.credentials = Some(Credentials {
            user: Some(user.to_owned()),
            password: password.to_owned(),
        });
        self.directive("user default off".to_owned())
            .directive(format!("user {user} on >{password} ~* &* +@all"))
    }

    /// The TCP port speaks TLS, with a certificate for 127.0.0.1 and localhost from a new authority
    /// ([`RedisServer::ca_file`]). The unix socket stays plain.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Every write is on disk before it is answered, so that a restart loses nothing.
    #[must_use]
    pub fn appendonly(self) -> Self {
        self.directive("appendonly yes".to_owned())
            .directive("appendfsync always".to_owned())
    }

    /// The memory bound in bytes, with the policy that refuses writes beyond it.
    #[must_use]
    pub fn maxmemory(self, bytes: u64) -> Self {
        self.directive(format!("maxmemory {bytes}"))
            .directive("maxmemory-policy noeviction".to_owned())
    }

    /// Any other directive of redis.conf; later ones win.
    #[must_use]
    pub fn config(self, key: &str, value: &str) -> Self {
        self.directive(format!("{key} {value}"))
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Panics
    /// When redis-server is not installed (the text says what to install) or does not come up (the text holds its log).
    #[must_use]
    pub fn start(self) -> RedisServer {
        RedisServer::from_builder(self)
    }

    /// The text of redis.conf for a server in `folder` on `port`.
    pub(super) fn configuration(
        &self,
        folder: &Path,
        port: u16,
        certificates: Option<&Certificates>,
    ) -> String {
        let folder = folder.display();
        let mut text = format!(
            "bind 127.0.0.1\ndaemonize no\nsave \"\"\ndir {folder}\n\
             unixsocket {folder}/{SOCKET}\nunixsocketperm 700\n"
        );
        text += &match certificates {
            Some(certificates) => certificates.directives(port),
            None => format!("port {port}\n"),
        };
        for directive in &self.directives {
            writeln!(text, "{directive}").expect("writing to a string cannot fail");
        }
        text
    }

    fn directive(mut self, line: String) -> Self {
        self.directives.push(line);
        self
    }
}

/// The unix socket's name in the server's folder.
pub(super) const SOCKET: &str = "redis.sock";
