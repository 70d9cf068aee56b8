//! Where a test's Redis server is reached, and the URLs that say so.

use std::path::PathBuf;

use super::builder::Credentials;
use super::server::RedisServer;
use crate::certificates::Certificates;

impl RedisServer {
    /// The TCP port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `127.0.0.1:<port>`, for a proxy in front of the server.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The URL of database 0, credentials included; with TLS `rediss://` and Celery's `ssl_*` parameters.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_db(0)
    }

    /// The URL of database `db`; see [`url`](Self::url).
    #[must_use]
    pub fn url_db(&self, db: u32) -> String {
        self.url_at(&self.address(), db)
    }

    /// The URL of database 0 through another address, such as a [`Proxy`](crate::Proxy)'s.
    #[must_use]
    pub fn url_via(&self, address: impl ToString) -> String {
        self.url_at(&address.to_string(), 0)
    }

    /// The URL of database 0 through the unix socket, as Celery writes it (`redis+socket://`).
    #[must_use]
    pub fn unix_url(&self) -> String {
        format!(
            "redis+socket://{}{}",
            self.userinfo(),
            self.socket().display()
        )
    }

    /// The certificate of the authority that signed the server's, when it speaks TLS.
    #[must_use]
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.certificates.as_ref().map(Certificates::ca_file)
    }

    fn url_at(&self, address: &str, db: u32) -> String {
        let userinfo = self.userinfo();
        match self.ca_file() {
            Some(ca) => format!(
                "rediss://{userinfo}{address}/{db}?ssl_cert_reqs=required&ssl_ca_certs={}",
                ca.display()
            ),
            None => format!("redis://{userinfo}{address}/{db}"),
        }
    }

    fn userinfo(&self) -> String {
        match &self.settings.credentials {
            Some(Credentials { user, password }) => {
                format!("{}:{password}@", user.as_deref().unwrap_or_default())
            }
            None => String::new(),
        }
    }
}
