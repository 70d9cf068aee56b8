//! Where messages go: kombu's binding tables, which queues a routing key reaches, and their entries for our own queues.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use broker::{ExchangeKind, Result};
use redis::Pipeline;

use crate::keys::Keys;
use crate::link::Link;

/// How long a table that was read is believed. A table in which nothing matches is always read again.
const FRESH: Duration = Duration::from_secs(5);
/// Most exchanges remembered.
const MOST_TABLES: usize = 256;
/// Most queues whose declaration is remembered; beyond it declarations are repeated, which is harmless.
const MOST_DECLARED: usize = 4_096;

/// One member of a binding table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) routing_key: String,
    /// The regular expression of a topic binding; only whether it is there matters here.
    pub(crate) pattern: String,
    pub(crate) queue: String,
}

impl Binding {
    pub(crate) fn read(member: &str, separator: &str) -> Option<Self> {
        let (rest, queue) = member.rsplit_once(separator)?;
        let (routing_key, pattern) = rest.rsplit_once(separator)?;
        Some(Self { routing_key: routing_key.to_owned(), pattern: pattern.to_owned(), queue: queue.to_owned() })
    }

    /// Whether an exchange of this kind hands a message on. The kind is not stored on the server: `None` goes by the binding itself.
    pub(crate) fn matches(&self, kind: Option<ExchangeKind>, routing_key: &str) -> bool {
        match kind {
            Some(ExchangeKind::Fanout) => true,
            Some(ExchangeKind::Topic) => topic_matches(&self.routing_key, routing_key),
            None if !self.pattern.is_empty() => topic_matches(&self.routing_key, routing_key),
            Some(ExchangeKind::Direct) | None => self.routing_key == routing_key,
        }
    }
}

/// kombu's topic rule: `*` is one or more characters without a dot, `#` is any characters, dots between words must be there.
pub(crate) fn topic_matches(pattern: &str, key: &str) -> bool {
    let words: Vec<&str> = pattern.split('.').collect();
    words_match(&words, key)
}

fn words_match(words: &[&str], key: &str) -> bool {
    let Some((word, rest)) = words.split_first() else { return key.is_empty() };
    let last = rest.is_empty();
    let ends = key.match_indices('.').map(|(at, _)| at).chain([key.len()]);
    ends.filter(|end| word_matches(word, &key[..*end])).any(|end| {
        if last { end == key.len() } else { key[end..].strip_prefix('.').is_some_and(|tail| words_match(rest, tail)) }
    })
}

fn word_matches(word: &str, text: &str) -> bool {
    match word {
        "#" => true,
        "*" => !text.is_empty() && !text.contains('.'),
        word => word == text,
    }
}

/// The binding tables as far as they were read, and the queues that were declared on this connection.
#[derive(Debug, Default)]
pub(crate) struct Routing {
    tables: Mutex<HashMap<String, (Instant, Vec<Binding>)>>,
    declared: Mutex<HashSet<String>>,
}

impl Routing {
    /// The queues that an exchange hands a message on to.
    pub(crate) async fn queues(
        &self,
        link: &Link,
        keys: &Keys,
        exchange: &str,
        kind: Option<ExchangeKind>,
        routing_key: &str,
    ) -> Result<Vec<String>> {
        let known = self.remembered(exchange).map(|table| reached(&table, kind, routing_key));
        if let Some(queues) = known.filter(|queues| !queues.is_empty()) {
            return Ok(queues);
        }
        let table = read_table(link, keys, exchange).await?;
        let queues = reached(&table, kind, routing_key);
        let mut tables = lock(&self.tables);
        if tables.len() >= MOST_TABLES {
            tables.clear();
        }
        tables.insert(exchange.to_owned(), (Instant::now(), table));
        Ok(queues)
    }

    /// Adds the declaration of a lasting queue to the pipeline, once per queue.
    pub(crate) fn declare(&self, keys: &Keys, queue: &str, pipeline: &mut Pipeline) {
        let mut declared = lock(&self.declared);
        if declared.contains(queue) {
            return;
        }
        if declared.len() >= MOST_DECLARED {
            declared.clear();
        }
        declared.insert(queue.to_owned());
        add_declaration(keys, queue, pipeline);
    }

    /// Forgets what was declared: the attempt failed, or the server lost it.
    pub(crate) fn forget(&self) {
        lock(&self.declared).clear();
    }

    fn remembered(&self, exchange: &str) -> Option<Vec<Binding>> {
        let tables = lock(&self.tables);
        let (read, table) = tables.get(exchange)?;
        (read.elapsed() < FRESH).then(|| table.clone())
    }
}

/// Binds a queue to the exchange of its own name, as Celery does for a queue that is only named.
pub(crate) fn add_declaration(keys: &Keys, queue: &str, pipeline: &mut Pipeline) {
    let member = keys.binding_member(queue, "", queue);
    pipeline.cmd("SADD").arg(keys.binding(queue)).arg(&member);
    pipeline.cmd("SADD").arg(keys.permanent_binding(queue)).arg(&member);
}

async fn read_table(link: &Link, keys: &Keys, exchange: &str) -> Result<Vec<Binding>> {
    let mut command = redis::cmd("SMEMBERS");
    command.arg(keys.binding(exchange));
    let action = "read bindings";
    let answer = link.call(action, command).await?;
    let members: Vec<String> = redis::from_redis_value(answer).map_err(|error| link.explain(action, error.into()))?;
    Ok(members.iter().filter_map(|member| Binding::read(member, keys.separator())).collect())
}

fn reached(table: &[Binding], kind: Option<ExchangeKind>, routing_key: &str) -> Vec<String> {
    let mut queues: Vec<String> =
        table.iter().filter(|binding| binding.matches(kind, routing_key)).map(|binding| binding.queue.clone()).collect();
    queues.sort_unstable();
    queues.dedup();
    queues
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("no holder of this lock panics")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn topics_match_as_in_kombu() {
        for (pattern, key, expected) in [
            ("a.b", "a.b", true),
            ("a.b", "aXb", false),
            ("a.*", "a.b", true),
            ("a.*", "a.b.c", false),
            ("a.*", "a.", false),
            ("a.#", "a.b.c", true),
            ("a.#", "a", false),
            ("a.#", "a.", true),
            ("#", "", true),
            ("#", "a.b", true),
            ("#.c", "a.b.c", true),
            ("*.#.c", "a.b.b.c", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(topic_matches(pattern, key), expected, "{pattern:?} against {key:?}");
        }
    }

    #[test]
    fn a_binding_says_itself_how_it_matches_when_the_exchange_is_unknown() {
        let direct = Binding::read("k|-||-|q", "|-|").unwrap();
        assert_eq!(direct, Binding { routing_key: "k".into(), pattern: String::new(), queue: "q".into() });
        assert!(direct.matches(None, "k") && !direct.matches(None, "k.x"));
        let topic = Binding::read("k.#|-|^k\\..*?$|-|q", "|-|").unwrap();
        assert!(topic.matches(None, "k.x") && !topic.matches(Some(ExchangeKind::Direct), "k.x"));
    }
}
