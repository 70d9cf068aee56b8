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
        format!("Redis at {server}: cannot {action}: {error}{remedy}"),
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

/// What the server says, in its code or its text; what it means; what to do. The first that fits counts.
const REFUSALS: &[(&str, ErrorKind, &str)] = &[
    (
        "OOM",
        ErrorKind::Full,
        "raise maxmemory or remove data; queues need maxmemory-policy noeviction",
    ),
    ("WRONGPASS", ErrorKind::Denied, CREDENTIALS),
    ("NOAUTH", ErrorKind::Denied, CREDENTIALS),
    (
        "NOPERM",
        ErrorKind::Denied,
        "grant the ACL user these commands and keys (ACL SETUSER)",
    ),
    (
        "READONLY",
        ErrorKind::ReadOnly,
        "this is a replica; point the URL at the primary",
    ),
    (
        "MISCONF",
        ErrorKind::ReadOnly,
        "the server cannot write to its disk; free space there or look at its log",
    ),
    (
        "NOREPLICAS",
        ErrorKind::Unreachable,
        "the server has too few replicas to take writes (min-replicas-to-write); wait",
    ),
    (
        "LOADING",
        ErrorKind::Unreachable,
        "the server is still loading its data; wait",
    ),
    (
        "BUSY",
        ErrorKind::Unreachable,
        "the server is busy with a script; wait",
    ),
    (
        "MASTERDOWN",
        ErrorKind::Unreachable,
        "the replica has lost its primary; wait",
    ),
    (
        "DB index",
        ErrorKind::Invalid,
        "choose a database number that the server has (setting `databases`, 16 by default)",
    ),
];
const CREDENTIALS: &str = "check user and password in the URL (redis://user:password@host)";

fn classify_one(error: &RedisError) -> (ErrorKind, &'static str) {
    let text = error.to_string();
    let code = error.code().unwrap_or_default();
    let fits = |(word, ..): &&(&str, ErrorKind, &str)| {
        code == *word || text.contains(&format!("{word} ")) || text.ends_with(word)
    };
    if let Some((_, kind, remedy)) = REFUSALS.iter().find(fits) {
        return (*kind, remedy);
    }
    match error.kind() {
        redis::ErrorKind::AuthenticationFailed => (ErrorKind::Denied, CREDENTIALS),
        redis::ErrorKind::RESP3NotSupported => (ErrorKind::Invalid, "Redis 6.2 or newer is needed"),
        redis::ErrorKind::InvalidClientConfig => (ErrorKind::Invalid, ""),
        _ => classify_network(error, &text),
    }
}

fn classify_network(error: &RedisError, text: &str) -> (ErrorKind, &'static str) {
    if text.to_lowercase().contains("certificate") {
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
