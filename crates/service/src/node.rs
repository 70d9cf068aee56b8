//! Node names: Celery's `-n` with its placeholders.

use protocol::{NodeParts, node_format, node_split};

/// The node's name for what `-n` says: `%h` the host's name, `%n` its first part, `%d` the rest. Without an `@` the
/// host is added; without `-n` it is `celery@<host>`.
pub(crate) fn node_name(format: Option<&str>, host: &str) -> String {
    let parts = NodeParts {
        host,
        name: None,
        node: host,
        index: 0,
    };
    let name = node_format(format.unwrap_or("celery@%h"), &parts);
    if name.contains('@') {
        name
    } else {
        format!("{name}@{host}")
    }
}

/// A path with the placeholders of a node: `%n` the part of its name before `@`, `%h` the host, `%p` the whole name.
pub(crate) fn node_path(path: &str, node: &str) -> String {
    let (name, host) = node_split(node);
    node_format(
        path,
        &NodeParts {
            host,
            name,
            node,
            index: 0,
        },
    )
}

/// The machine's name.
pub fn host_name() -> String {
    let name = nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok());
    name.unwrap_or_else(|| "localhost".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_built_as_celery_does() {
        let host = "web1.example.com";
        let cases = [
            (None, "celery@web1.example.com"),
            (Some("w1"), "w1@web1.example.com"),
            (Some("w1@%n"), "w1@web1"),
            (Some("%n.w@%d"), "web1.w@example.com"),
        ];
        for (format, expected) in cases {
            assert_eq!(node_name(format, host), expected);
        }
    }

    #[test]
    fn log_files_may_name_the_node() {
        assert_eq!(
            node_path("/var/log/%n-%h.log", "w1@web.example.com"),
            "/var/log/w1-web.example.com.log"
        );
    }
}
