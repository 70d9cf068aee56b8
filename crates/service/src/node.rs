//! Node names: Celery's `-n` with its placeholders.

/// The node's name for what `-n` says: `%h` the host's name, `%n` its first part, `%d` the rest, `%%` a percent
/// sign. Without an `@` the host is added; without `-n` it is `celery@<host>`.
pub(crate) fn node_name(format: Option<&str>, host: &str) -> String {
    let (short, domain) = host.split_once('.').unwrap_or((host, ""));
    let name = expand(format.unwrap_or("celery@%h"), host, short, domain);
    if name.contains('@') { name } else { format!("{name}@{host}") }
}

/// A path with the placeholders of a node: `%n` the part of its name before `@`, `%h` the host, `%d` the domain.
pub(crate) fn node_path(path: &str, node: &str) -> String {
    let (name, host) = node.split_once('@').unwrap_or((node, ""));
    let domain = host.split_once('.').map_or("", |(_, domain)| domain);
    expand(path, host, name, domain)
}

fn expand(format: &str, host: &str, name: &str, domain: &str) -> String {
    let mut out = String::with_capacity(format.len());
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let replaced = match after.chars().next() {
            Some('h') => host,
            Some('n') => name,
            Some('d') => domain,
            Some('%') => "%",
            _ => {
                out.push('%');
                rest = after;
                continue;
            }
        };
        out.push_str(replaced);
        rest = &after[1..];
    }
    out + rest
}

/// The machine's name.
pub(crate) fn host_name() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
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
            (Some("a%%b%x@%h%"), "a%b%x@web1.example.com%"),
        ];
        for (format, expected) in cases {
            assert_eq!(node_name(format, host), expected);
        }
        assert_eq!(node_name(Some("a@%h.%d"), "plain"), "a@plain.");
    }

    #[test]
    fn log_files_may_name_the_node() {
        assert_eq!(node_path("/var/log/%n-%h.log", "w1@web.example.com"), "/var/log/w1-web.example.com.log");
    }
}
