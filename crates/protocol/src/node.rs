//! Node names and the formats they are made from.

/// The parts a format can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeParts<'a> {
    /// Full host name: `%h`; its first label and the rest are `%n` (unless `name` is set) and `%d`.
    pub host: &'a str,
    /// Name part of the node, for `%n`.
    pub name: Option<&'a str>,
    /// Full node name: `%p`.
    pub node: &'a str,
    /// Number of the pool process: `%i`; `%I` puts a dash in front and is empty for 0.
    pub index: usize,
}

/// Fills in a node or log file format: `%h` `%n` `%d` `%p` `%i` `%I` `%%`. Anything else stays.
pub fn node_format(format: &str, parts: &NodeParts<'_>) -> String {
    let (label, domain) = parts.host.split_once('.').unwrap_or((parts.host, ""));
    let mut out = String::with_capacity(format.len() + parts.host.len());
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('h') => out.push_str(parts.host),
            Some('n') => out.push_str(parts.name.unwrap_or(label)),
            Some('d') => out.push_str(domain),
            Some('p') => out.push_str(parts.node),
            Some('i') => out.push_str(&parts.index.to_string()),
            Some('I') if parts.index > 0 => out.push_str(&format!("-{}", parts.index)),
            Some('I') => {}
            Some('%') => out.push('%'),
            Some(other) => out.extend(['%', other]),
            None => out.push('%'),
        }
    }
    out
}

/// Splits a node name into name and host; a name without `@` is all host.
pub fn node_split(node: &str) -> (Option<&str>, &str) {
    node.split_once('@')
        .map_or((None, node), |(name, host)| (Some(name), host))
}
