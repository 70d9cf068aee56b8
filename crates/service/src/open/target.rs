//! What the URLs mean: which kind of server, and whether results go to the same one.

use broker::{BrokerError, ErrorKind};

use crate::settings::mask_urls;
use crate::{Error, Settings};

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// Redis.
    Redis,
    /// The embedded broker.
    Sqlite,
    /// This process only.
    Memory,
}

impl Scheme {
    /// The kind of server that a broker's URL names.
    pub(super) fn of(url: &str) -> Result<Self, BrokerError> {
        let name = url.split(':').next().unwrap_or_default();
        let invalid = |text: String| Err(BrokerError::new(ErrorKind::Invalid, text));
        match name {
            "redis" | "rediss" | "redis+socket" | "unix" | "socket" => Ok(Self::Redis),
            "sqlite" => Ok(Self::Sqlite),
            "memory" => Ok(Self::Memory),
            "amqp" | "amqps" | "pyamqp" | "librabbitmq" => invalid(format!(
                "{name}:// is RabbitMQ, which is not supported yet; use redis://, rediss://, redis+socket:// or sqlite:"
            )),
            other => invalid(format!(
                "no broker is known for {other}:; use redis://, rediss://, redis+socket://, sqlite: or memory://"
            )),
        }
    }
}

/// Where results go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Results {
    /// Nowhere.
    Nowhere,
    /// To the broker's own server and database, in the same step as the settlement.
    WithBroker,
    /// To another server.
    Elsewhere { url: String, scheme: Scheme },
}

impl Results {
    /// What `result_backend` says for a broker at this URL. Not set, it means the same file with SQLite, the same
    /// memory, and with Redis, as in Celery, nothing.
    pub(super) fn of(settings: &Settings, broker: &str, scheme: Scheme) -> Result<Self, Error> {
        let Some(url) = settings.text("result_backend") else {
            return Ok(if scheme == Scheme::Redis {
                Self::Nowhere
            } else {
                Self::WithBroker
            });
        };
        let url = if url == "redis" {
            "redis://localhost"
        } else {
            url
        };
        if url.starts_with("disabled") {
            return Ok(Self::Nowhere);
        }
        let failed = |source| Error::Open {
            url: mask_urls(url),
            source,
        };
        let kind = Scheme::of_results(url).map_err(failed)?;
        let same_server = match (scheme, kind) {
            (Scheme::Redis, Scheme::Redis) => super::redis::same_server(broker, url),
            (Scheme::Sqlite, Scheme::Sqlite) => super::sqlite::same_file(broker, url),
            (Scheme::Memory, Scheme::Memory) => true,
            _ => false,
        };
        if same_server {
            return Ok(Self::WithBroker);
        }
        Ok(Self::Elsewhere {
            url: url.to_owned(),
            scheme: kind,
        })
    }
}

impl Scheme {
    fn of_results(url: &str) -> Result<Self, BrokerError> {
        let name = url.split(':').next().unwrap_or_default();
        let text = match name {
            "rpc" => "results over rpc:// need RabbitMQ, which is not supported yet",
            "db+sqlite" | "db+postgresql" | "db+mysql" | "database" => {
                "results in SQL tables are not supported yet"
            }
            "cache" | "file" | "mongodb" | "django-db" | "django-cache" => {
                "this result backend is not supported"
            }
            _ => return Self::of(url),
        };
        let hint = "use redis://, rediss://, redis+socket:// or sqlite:";
        Err(BrokerError::new(
            ErrorKind::Invalid,
            format!("{text}; {hint}"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Environment, Sources};

    fn results(broker: &str, backend: Option<&str>) -> Result<Results, String> {
        let overrides = backend.map(|url| ("result_backend", "--result-backend", url.to_owned()));
        let environment = Environment::default();
        let sources = Sources {
            overrides: overrides.into_iter().collect(),
            environment,
            ..Sources::default()
        };
        let settings = Settings::load(&sources).unwrap();
        Results::of(&settings, broker, Scheme::of(broker).unwrap())
            .map_err(|error| crate::error_text(&error))
    }

    #[test]
    fn without_a_backend_results_follow_the_broker() {
        assert_eq!(results("sqlite:a.db", None), Ok(Results::WithBroker));
        assert_eq!(results("memory://", None), Ok(Results::WithBroker));
        assert_eq!(results("redis://h", None), Ok(Results::Nowhere));
        assert_eq!(results("redis://h", Some("disabled")), Ok(Results::Nowhere));
    }

    #[test]
    fn the_same_server_is_recognised() {
        for (broker, backend) in [
            ("redis://h", "redis://h:6379/0"),
            ("redis://:p@h/1", "redis://:p@h:6379/1/"),
            ("redis:///2", "redis://localhost/2"),
            (
                "redis+socket:///run/r.sock?virtual_host=1",
                "redis+socket:///run/r.sock?virtual_host=1",
            ),
            ("sqlite:a.db", "sqlite:a.db"),
        ] {
            assert_eq!(
                results(broker, Some(backend)),
                Ok(Results::WithBroker),
                "{broker}"
            );
        }
        for (broker, backend) in [
            ("redis://h", "redis://h/1"),
            ("redis://a@h", "redis://b@h"),
            ("sqlite:a.db", "sqlite:b.db"),
            ("sqlite:a.db", "redis://h"),
        ] {
            assert!(
                matches!(
                    results(broker, Some(backend)),
                    Ok(Results::Elsewhere { .. })
                ),
                "{broker}"
            );
        }
    }

    #[test]
    fn what_is_not_supported_says_what_is() {
        let text = |url| Scheme::of(url).unwrap_err().to_string();
        assert!(text("amqp://guest@localhost//").contains("not supported yet; use redis://"));
        assert!(text("sqs://").contains("no broker is known for sqs:"));
        let error = results("redis://h", Some("db+postgresql://u:secret@h/x")).unwrap_err();
        assert!(
            error.contains("SQL tables are not supported yet"),
            "{error}"
        );
        assert!(!error.contains("secret"), "{error}");
        assert!(
            results("redis://h", Some("rpc://"))
                .unwrap_err()
                .contains("RabbitMQ")
        );
    }
}
