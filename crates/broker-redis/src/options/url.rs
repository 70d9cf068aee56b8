//! Celery's Redis URLs.

use std::path::PathBuf;

use broker::Result;
use url::form_urlencoded;

use super::{Address, RedisOptions, Secret, TlsOptions};
use crate::error::invalid;

const DEFAULT_PORT: u16 = 6379;

/// A URL in its parts, still encoded. The `url` crate refuses credentials without a host, which Celery's socket URLs have.
struct Parts<'a> {
    scheme: &'a str,
    userinfo: &'a str,
    host: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Parts<'a> {
    fn split(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (userinfo, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        Some(Self {
            scheme,
            userinfo,
            host,
            path,
            query,
        })
    }
}

pub(super) fn parse(url: &str) -> Result<RedisOptions> {
    let parts = Parts::split(url.trim())
        .ok_or_else(|| invalid("a Redis URL looks like redis://user:password@host:6379/0"))?;
    let mut options = match parts.scheme {
        "redis" => tcp(&parts, None)?,
        "rediss" => tcp(&parts, Some(TlsOptions::default()))?,
        "redis+socket" | "redis+unix" | "unix" | "socket" => socket(&parts)?,
        other => {
            return Err(invalid(format!(
                "{other}:// is no Redis URL; use redis://, rediss:// or redis+socket://"
            )));
        }
    };
    credentials(&mut options, parts.userinfo)?;
    for (name, value) in form_urlencoded::parse(parts.query.as_bytes()) {
        parameter(&mut options, &name, &value)?;
    }
    Ok(options)
}

fn tcp(parts: &Parts<'_>, tls: Option<TlsOptions>) -> Result<RedisOptions> {
    let (host, port) = match parts.host.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (parts.host, ""),
    };
    let port = match port {
        "" => DEFAULT_PORT,
        text => text
            .parse()
            .map_err(|_| invalid(format!("{text:?} in the Redis URL is no port")))?,
    };
    let host = match host.trim_start_matches('[').trim_end_matches(']') {
        "" => "localhost".to_owned(),
        host => decode(host)?,
    };
    let mut options = RedisOptions::at(Address::Tcp { host, port, tls });
    let db = parts.path.trim_matches('/');
    if !db.is_empty() {
        options.db = database(db)?;
    }
    Ok(options)
}

fn socket(parts: &Parts<'_>) -> Result<RedisOptions> {
    // `redis+socket:///path` and, as some write it, `redis+socket://%2Fpath`.
    let path = decode(&format!("{}{}", parts.host, parts.path))?;
    if path.is_empty() {
        return Err(invalid(
            "a socket URL needs the socket's path: redis+socket:///run/redis.sock",
        ));
    }
    Ok(RedisOptions::at(Address::Unix(PathBuf::from(path))))
}

fn credentials(options: &mut RedisOptions, userinfo: &str) -> Result<()> {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    if !user.is_empty() {
        options.username = Some(decode(user)?);
    }
    if !password.is_empty() {
        options.password = Some(Secret(decode(password)?));
    }
    Ok(())
}

fn parameter(options: &mut RedisOptions, name: &str, value: &str) -> Result<()> {
    match name {
        "virtual_host" | "db" => options.db = database(value.trim_matches('/'))?,
        "username" => options.username = Some(value.to_owned()),
        "password" => options.password = Some(Secret(value.to_owned())),
        "credential_provider" => {
            return Err(invalid(
                "credential_provider is Python code and cannot be used here; put user and password in the URL",
            ));
        }
        _ if name.starts_with("ssl_") => match &mut options.address {
            Address::Tcp { tls: Some(tls), .. } => tls_parameter(tls, name, value)?,
            _ => return Err(invalid(format!("{name} needs a rediss:// URL"))),
        },
        _ => tracing::debug!(name, "a parameter of the Redis URL has no meaning here"),
    }
    Ok(())
}

fn tls_parameter(tls: &mut TlsOptions, name: &str, value: &str) -> Result<()> {
    let file = Some(PathBuf::from(value));
    match name {
        "ssl_cert_reqs" => {
            tls.verify = match value.to_ascii_lowercase().trim_start_matches("cert_") {
                "required" | "optional" => true,
                "none" => false,
                _ => {
                    return Err(invalid(format!(
                        "ssl_cert_reqs is required, optional or none, not {value:?}"
                    )));
                }
            }
        }
        "ssl_check_hostname" => tls.check_hostname = truth(name, value)?,
        "ssl_ca_certs" => tls.ca_file = file,
        "ssl_certfile" => tls.cert_file = file,
        "ssl_keyfile" => tls.key_file = file,
        _ => {
            return Err(invalid(format!(
                "{name} is not supported; known are ssl_cert_reqs, ssl_ca_certs, ssl_certfile, ssl_keyfile, ssl_check_hostname"
            )));
        }
    }
    Ok(())
}

fn truth(name: &str, value: &str) -> Result<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(invalid(format!("{name} is true or false, not {value:?}"))),
    }
}

fn database(text: &str) -> Result<u32> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse()
        .map_err(|_| invalid(format!("{text:?} in the Redis URL is no database number")))
}

/// Undoes percent-encoding; unlike in a form, `+` is itself.
fn decode(text: &str) -> Result<String> {
    let broken = || {
        invalid(
            "a percent sign in the Redis URL must be followed by two hexadecimal digits (write %25 for itself)",
        )
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first == b'%' {
            let (digits, tail) = rest.split_at_checked(2).ok_or_else(broken)?;
            let digits = std::str::from_utf8(digits).map_err(|_| broken())?;
            bytes.push(u8::from_str_radix(digits, 16).map_err(|_| broken())?);
            rest = tail;
        } else {
            bytes.push(first);
        }
    }
    String::from_utf8(bytes)
        .map_err(|_| invalid("the Redis URL is not UTF-8 after percent-decoding"))
}
