//! Which queue is bound to which exchange, and what a routing key matches.

use std::collections::{BTreeMap, BTreeSet};

use crate::ExchangeKind;

/// Routing key (or pattern) and queue.
type Binding = (String, String);

/// All bindings by exchange.
#[derive(Debug, Default)]
pub(super) struct Bindings {
    exchanges: BTreeMap<String, BTreeSet<Binding>>,
    /// Queues that no task goes to: they leave with their reader.
    mailboxes: BTreeSet<String>,
}

impl Bindings {
    /// Binds a queue as Celery declares it by default: to the exchange of its own name, under its own name.
    pub(super) fn declare(&mut self, queue: &str) {
        self.bind(queue, queue, queue);
    }

    pub(super) fn bind(&mut self, exchange: &str, key: &str, queue: &str) {
        self.exchanges
            .entry(exchange.to_owned())
            .or_default()
            .insert((key.to_owned(), queue.to_owned()));
    }

    pub(super) fn bind_mailbox(&mut self, exchange: &str, key: &str, queue: &str) {
        self.mailboxes.insert(queue.to_owned());
        self.bind(exchange, key, queue);
    }

    pub(super) fn is_mailbox(&self, queue: &str) -> bool {
        self.mailboxes.contains(queue)
    }

    pub(super) fn unbind_mailbox(&mut self, exchange: &str, key: &str, queue: &str) {
        self.mailboxes.remove(queue);
        if let Some(bindings) = self.exchanges.get_mut(exchange) {
            bindings.remove(&(key.to_owned(), queue.to_owned()));
        }
    }

    /// The queues that a message goes to, each once.
    pub(super) fn matching(
        &self,
        exchange: &str,
        kind: ExchangeKind,
        routing_key: &str,
    ) -> BTreeSet<String> {
        let bindings = self.exchanges.get(exchange).into_iter().flatten();
        bindings
            .filter(|(key, _)| matches(kind, key, routing_key))
            .map(|(_, queue)| queue.clone())
            .collect()
    }

    /// Every binding: exchange, routing key, queue.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.exchanges.iter().flat_map(|(exchange, bindings)| {
            let keys = bindings.iter();
            keys.map(move |(key, queue)| (exchange.as_str(), key.as_str(), queue.as_str()))
        })
    }
}

fn matches(kind: ExchangeKind, pattern: &str, routing_key: &str) -> bool {
    match kind {
        ExchangeKind::Direct => pattern == routing_key,
        ExchangeKind::Topic => topic_matches(pattern, routing_key),
        ExchangeKind::Fanout => true,
    }
}

/// kombu's topic rule: `*` is one word, `#` is any text; `a.#` does not match `a`, since the dot stays.
pub(super) fn topic_matches(pattern: &str, routing_key: &str) -> bool {
    let words: Vec<&str> = pattern.split('.').collect();
    words_match(&words, routing_key)
}

fn words_match(words: &[&str], text: &str) -> bool {
    let Some((first, rest)) = words.split_first() else {
        return text.is_empty();
    };
    let ends = (0..=text.len()).filter(|end| text.is_char_boundary(*end));
    ends.filter(|end| word_matches(first, &text[..*end]))
        .any(|end| {
            let after = &text[end..];
            match rest {
                [] => after.is_empty(),
                rest => after
                    .strip_prefix('.')
                    .is_some_and(|after| words_match(rest, after)),
            }
        })
}

fn word_matches(word: &str, text: &str) -> bool {
    match word {
        "#" => true,
        "*" => !text.is_empty() && !text.contains('.'),
        word => word == text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_match_as_in_kombu() {
        let cases = [
            ("worker.#", "worker.heartbeat", true),
            ("worker.#", "worker", false),
            ("#", "", true),
            ("#", "a.b.c", true),
            ("*", "", false),
            ("a.*.c", "a.b.c", true),
            ("a.*.c", "a.b.b.c", false),
            ("a.#.c", "a.b.b.c", true),
            ("a.#.c", "a.c", false),
            ("ä.*", "ä.ö", true),
        ];
        for (pattern, key, expected) in cases {
            assert_eq!(
                topic_matches(pattern, key),
                expected,
                "{pattern} against {key}"
            );
        }
    }
}
