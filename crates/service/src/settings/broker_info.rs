//! The broker as `inspect stats` shows it: kombu's fields, taken from the URL, without its password.

use protocol::{Map, Value};

use super::{Kind, Settings, mask};

/// Fields of kombu's connections that have no meaning here.
const NULLS: [&str; 3] = ["login_method", "uri_prefix", "credential_provider"];

impl Settings {
    /// The broker in use, for people and for Flower.
    pub(super) fn broker_info(&self) -> Map {
        let mut urls = self.broker_urls().into_iter();
        let address = Address::of(&urls.next().unwrap_or_default());
        let alternates: Vec<String> = urls.map(|url| super::mask_urls(&url)).collect();
        let options = self.get("broker_transport_options");
        let timeout = self.get("broker_connection_timeout").clone();
        let mut map = Map::new();
        map.insert("hostname", address.host);
        map.insert("userid", address.user);
        map.insert("virtual_host", address.database);
        map.insert("port", address.port.map(i64::from));
        map.insert("insist", false);
        map.insert("ssl", address.transport == "rediss");
        map.insert("transport", address.transport);
        map.insert("connect_timeout", timeout);
        map.insert("transport_options", mask::masked(Kind::Map, options));
        map.insert("heartbeat", self.get("broker_heartbeat").as_f64());
        map.insert("failover_strategy", "round-robin");
        map.insert("alternates", alternates);
        map.extend(NULLS.map(|field| (field, Value::Null)));
        map
    }
}

/// The parts of a URL that may be shown.
#[derive(Debug, Default, PartialEq, Eq)]
struct Address {
    transport: String,
    user: Option<String>,
    host: Option<String>,
    port: Option<u16>,
    database: String,
}

impl Address {
    fn of(url: &str) -> Self {
        let (transport, rest) = url.split_once(':').unwrap_or((url, ""));
        let rest = rest.split('?').next().unwrap_or_default();
        let Some(rest) = rest.strip_prefix("//") else {
            return Self {
                transport: transport.to_owned(),
                database: rest.to_owned(),
                ..Self::default()
            };
        };
        let (server, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, server) = server.rsplit_once('@').unwrap_or(("", server));
        let (host, port) = match server.rsplit_once(':') {
            Some((host, port)) if !server.ends_with(']') => (host, port.parse().ok()),
            _ => (server, None),
        };
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Self {
            transport: transport.to_owned(),
            user: text(user.split(':').next().unwrap_or_default()),
            host: text(host),
            port: port.or(transport.starts_with("redis").then_some(6_379)),
            database: database.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart_and_its_password_left_out() {
        let address = Address::of("rediss://me:p@ss@example.org:7000/2?ssl_ca_certs=x");
        assert_eq!(
            address,
            Address {
                transport: "rediss".to_owned(),
                user: Some("me".to_owned()),
                host: Some("example.org".to_owned()),
                port: Some(7_000),
                database: "2".to_owned(),
            }
        );
        assert_eq!(Address::of("redis://[::1]/0").port, Some(6_379));
        assert_eq!(Address::of("sqlite:data/x.db").database, "data/x.db");
    }
}
