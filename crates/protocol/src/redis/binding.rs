//! Members of binding tables: `‹routing key›SEP‹pattern›SEP‹queue›`.

use std::fmt;

use super::{SEP, topic_matches, topic_pattern};

/// One row of an exchange's binding table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Routing key as bound.
    pub routing_key: String,
    /// Regular expression for topic exchanges; empty for direct ones.
    pub pattern: String,
    /// Bound queue.
    pub queue: String,
}

impl Binding {
    /// A binding of a direct exchange.
    pub fn direct(routing_key: &str, queue: &str) -> Self {
        Self {
            routing_key: routing_key.to_owned(),
            pattern: String::new(),
            queue: queue.to_owned(),
        }
    }

    /// A binding of a topic exchange.
    pub fn topic(routing_key: &str, queue: &str) -> Self {
        Self {
            pattern: topic_pattern(routing_key),
            ..Self::direct(routing_key, queue)
        }
    }

    /// Reads a member; `None` when it is not one.
    pub fn parse(member: &str) -> Option<Self> {
        Self::parse_with(SEP, member)
    }

    /// [`Binding::parse`] with another separator (the transport option `sep`).
    pub fn parse_with(sep: &str, member: &str) -> Option<Self> {
        let mut parts = member.splitn(3, sep);
        Some(Self {
            routing_key: parts.next()?.to_owned(),
            pattern: parts.next()?.to_owned(),
            queue: parts.next()?.to_owned(),
        })
    }

    /// The member with another separator than [`SEP`].
    pub fn member_with(&self, sep: &str) -> String {
        format!(
            "{}{sep}{}{sep}{}",
            self.routing_key, self.pattern, self.queue
        )
    }

    /// True when a message with this routing key goes to the queue. The exchange type is not in
    /// Redis, so the stored pattern decides: with one it is a topic, without one the key must be equal.
    pub fn matches(&self, routing_key: &str) -> bool {
        if self.pattern.is_empty() {
            self.routing_key == routing_key
        } else {
            topic_matches(&self.pattern, routing_key)
        }
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.member_with(SEP))
    }
}

/// The queues a message goes to, from the members of the exchange's binding table, sorted and
/// without repeats. The default exchange has no table: its routing key is the queue.
pub fn destinations<'a>(
    exchange: &str,
    routing_key: &str,
    members: impl IntoIterator<Item = &'a str>,
) -> Vec<String> {
    if exchange.is_empty() {
        return vec![routing_key.to_owned()];
    }
    let bindings = members.into_iter().filter_map(Binding::parse);
    let matching = bindings.filter(|binding| binding.matches(routing_key));
    let mut queues: Vec<_> = matching.map(|binding| binding.queue).collect();
    queues.sort_unstable();
    queues.dedup();
    queues
}
