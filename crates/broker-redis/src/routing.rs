//! Where messages go: kombu's binding tables, which queues a routing key reaches, and their entries for our own queues.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use broker::{ExchangeKind, Result};
use protocol::redis::Binding;
use redis::Pipeline;

use crate::keys::Keys;
use crate::link::Link;

/// How long a table that was read is believed. A table in which nothing matches is always read again.
const FRESH: Duration = Duration::from_secs(5);
/// Most exchanges remembered.
const MOST_TABLES: usize = 256;
/// Most queues whose declaration is remembered; beyond it declarations are repeated, which is harmless.
const MOST_DECLARED: usize = 4_096;

/// The binding tables as far as they were read, and the queues that were declared on this connection.
#[derive(Debug, Default)]
pub(crate) struct Routing {
    tables: Mutex<HashMap<String, (Instant, Vec<Binding>)>>,
    declared: Mutex<HashSet<String>>,
}

impl Routing {
    /// The queues that an exchange hands a message on to.
    ///
    /// The exchange's type is not on the server; the binding itself says whether it is a pattern.
    pub(crate) async fn queues(
        &self,
        link: &Link,
        keys: &Keys,
        exchange: &str,
        routing_key: &str,
    ) -> Result<Vec<String>> {
        let known = self
            .remembered(exchange)
            .map(|table| reached(&table, routing_key));
        if let Some(queues) = known.filter(|queues| !queues.is_empty()) {
            return Ok(queues);
        }
        let table = read_table(link, keys, exchange).await?;
        let queues = reached(&table, routing_key);
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
    add_entry(keys, queue, &Binding::direct(queue, queue), pipeline);
}

/// Binds a queue to any exchange.
pub(crate) fn add_binding(
    keys: &Keys,
    binding: &broker::Binding,
    kind: ExchangeKind,
    pipeline: &mut Pipeline,
) {
    let entry = entry(kind, &binding.routing_key, &binding.queue);
    add_entry(keys, &binding.exchange, &entry, pipeline);
}

/// What kombu's table says of a queue that is bound to an exchange of this kind.
pub(crate) fn entry(kind: ExchangeKind, routing_key: &str, queue: &str) -> Binding {
    match kind {
        ExchangeKind::Topic => Binding::topic(routing_key, queue),
        ExchangeKind::Direct | ExchangeKind::Fanout => Binding::direct(routing_key, queue),
    }
}

fn add_entry(keys: &Keys, exchange: &str, entry: &Binding, pipeline: &mut Pipeline) {
    let member = keys.write_binding(entry);
    pipeline
        .cmd("SADD")
        .arg(keys.binding(exchange))
        .arg(&member);
    pipeline
        .cmd("SADD")
        .arg(keys.permanent_binding(exchange))
        .arg(&member);
}

async fn read_table(link: &Link, keys: &Keys, exchange: &str) -> Result<Vec<Binding>> {
    let mut command = redis::cmd("SMEMBERS");
    command.arg(keys.binding(exchange));
    let action = "read bindings";
    let answer = link.call(action, command).await?;
    let members: Vec<String> =
        redis::from_redis_value(answer).map_err(|error| link.explain(action, error.into()))?;
    Ok(members
        .iter()
        .filter_map(|member| keys.read_binding(member))
        .collect())
}

fn reached(table: &[Binding], routing_key: &str) -> Vec<String> {
    let mut queues: Vec<String> = table
        .iter()
        .filter(|binding| binding.matches(routing_key))
        .map(|binding| binding.queue.clone())
        .collect();
    queues.sort_unstable();
    queues.dedup();
    queues
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("no holder of this lock panics")
}
