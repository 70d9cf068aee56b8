//! What the server's and the network's errors mean to a caller: one kind, and a text that says what to do.
//!
//! The error type itself is the seam's [`BrokerError`]; this crate adds none of its own.

use broker::{BrokerError, ErrorKind};
use redis::RedisError;

/// Turns an error into the seam's, naming what was tried and on which server.
pub(crate) fn explain(action: &str, server: &str, error: RedisError) -> BrokerError {
    let (kind, remedy) = classify(&error);
    let remedy = if remedy.is_empty() {
        String::new()
    } else {
        format!("; {remedy}")
    };
    BrokerError::with_source(
        kind,
        format!("cannot {action} on Redis at {server}: {error}{remedy}"),
        error,
    )
}

/// Whether waiting and trying again, on a new connection if need be, can mend it.
pub(crate) fn is_outage(error: &RedisError) -> bool {
    matches!(
        classify(error).0,
        ErrorKind::Unreachable | ErrorKind::ReadOnly
    )
}

/// Whether the same call may get through later: an outage, or memory that is short.
pub(crate) fn is_passing(error: &RedisError) -> bool {
    is_outage(error) || classify(error).0 == ErrorKind::Full
}

/// Whether a new connection is needed before anything else can work.
pub(crate) fn breaks_connection(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_unrecoverable_error()
        || classify(error).0 == ErrorKind::ReadOnly
}

fn classify(error: &RedisError) -> (ErrorKind, &'static str) {
    // A transaction that was refused carries the refusals of its commands.
    let refusals = error.clone().into_server_errors();
    match refusals.as_deref().and_then(<[_]>::first) {
        Some((_, refusal)) => classify_one(&RedisError::from(refusal.clone())),
        None => classify_one(error),
    }
}

fn classify_one(error: &RedisError) -> (ErrorKind, &'static str) {
    let text = error.to_string();
    let code = error.code().unwrap_or_default();
    let says = |word: &str| code == word || text.contains(word);
    if code == "OOM" {
        (
            ErrorKind::Full,
            "raise maxmemory or remove data; queues need maxmemory-policy noeviction",
        )
    } else if error.kind() == redis::ErrorKind::AuthenticationFailed
        || says("WRONGPASS")
        || says("NOAUTH")
    {
        (
            ErrorKind::Denied,
            "check user and password in the URL (redis://user:password@host)",
        )
    } else if says("NOPERM") {
        (
            ErrorKind::Denied,
            "grant the ACL user these commands and keys (ACL SETUSER)",
        )
    } else if says("READONLY") {
        (
            ErrorKind::ReadOnly,
            "this is a replica; point the URL at the primary",
        )
    } else if says("MISCONF") {
        (
            ErrorKind::ReadOnly,
            "the server cannot write to its disk; free space there or look at its log",
        )
    } else if says("LOADING") {
        (
            ErrorKind::Unreachable,
            "the server is still loading its data; wait",
        )
    } else if ["BUSY", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN"].contains(&code) {
        (ErrorKind::Unreachable, "the server is busy; wait")
    } else if text.contains("DB index") || text.contains("database") {
        (
            ErrorKind::Invalid,
            "choose a database number that the server has (setting `databases`, 16 by default)",
        )
    } else if error.kind() == redis::ErrorKind::RESP3NotSupported {
        (ErrorKind::Invalid, "Redis 6.2 or newer is needed")
    } else {
        classify_network(error, &text)
    }
}

fn classify_network(error: &RedisError, text: &str) -> (ErrorKind, &'static str) {
    if text.contains("certificate") || text.contains("Certificate") {
        (
            ErrorKind::Denied,
            "check ssl_ca_certs, ssl_certfile and the host's name in the certificate",
        )
    } else if error.is_connection_refusal() {
        (
            ErrorKind::Unreachable,
            "is the server running, and are host and port right?",
        )
    } else if error.is_io_error() || error.is_timeout() || error.is_unrecoverable_error() {
        (
            ErrorKind::Unreachable,
            "check the server and the network; a TLS port needs rediss://",
        )
    } else if error.kind() == redis::ErrorKind::InvalidClientConfig {
        (ErrorKind::Invalid, "")
    } else {
        (ErrorKind::Other, "")
    }
}

/// An error of our own making.
pub(crate) fn invalid(message: impl Into<String>) -> BrokerError {
    BrokerError::new(ErrorKind::Invalid, message)
}

/// The consumer or broker was closed.
pub(crate) fn closed() -> BrokerError {
    BrokerError::new(ErrorKind::Closed, "this connection to Redis was closed")
}
