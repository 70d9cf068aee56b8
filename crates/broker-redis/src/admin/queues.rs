//! Queues as an operator sees them: names, depths, and what is in them.

use std::collections::BTreeSet;

use ::broker::{Binding, QueueDepth, Result};
use bytes::Bytes;
use redis::{Pipeline, Value};

use super::command;
use crate::RedisBroker;
use crate::keys::literal;

/// Keys that the server looks at in one step of a scan.
const SCAN_STEP: usize = 1_000;
/// Steps of a scan, so that a huge keyspace cannot keep the operator waiting.
const MOST_STEPS: usize = 1_000;

/// Queues that are bound to an exchange, and lists that look like queues.
pub(super) async fn names(broker: &RedisBroker) -> Result<Vec<String>> {
    let bindings = bindings(broker).await?.into_iter();
    let mut names: BTreeSet<_> = bindings.map(|binding| binding.queue).collect();
    for list in scan(
        broker,
        &format!("{}*", literal(broker.keys.prefix())),
        "list",
    )
    .await?
    {
        names.insert(broker.keys.queue_of(&list).to_owned());
    }
    names.retain(|name| is_task_queue(name));
    Ok(names.into_iter().collect())
}

/// The members of every exchange's binding table.
pub(super) async fn bindings(broker: &RedisBroker) -> Result<Vec<Binding>> {
    let prefix = format!(
        "{}{}",
        broker.keys.prefix(),
        protocol::redis::binding_table("")
    );
    let tables = scan(broker, &format!("{}*", literal(&prefix)), "set").await?;
    let mut bindings = Vec::new();
    for table in tables {
        let read = command("SMEMBERS", &table);
        let members: Vec<String> = broker.ask("read bindings", read).await?;
        let exchange = table.strip_prefix(&prefix).unwrap_or(&table);
        let members = members
            .iter()
            .filter_map(|member| broker.keys.read_binding(member))
            .filter(|binding| is_task_queue(&binding.queue));
        bindings.extend(members.map(|binding| Binding {
            queue: binding.queue,
            exchange: exchange.to_owned(),
            routing_key: binding.routing_key,
        }));
    }
    bindings.sort();
    Ok(bindings)
}

/// Whether tasks go there. The mailboxes of control requests and of Python's event listeners are queues for kombu, and the
/// chord bookkeeping of `result_chord_ordered = false` is made of lists too.
fn is_task_queue(name: &str) -> bool {
    let is_mailbox = name.ends_with(".pidbox") || name.starts_with("celeryev.");
    !is_mailbox && !name.contains("celery-taskset-meta-")
}

async fn scan(broker: &RedisBroker, pattern: &str, kind: &str) -> Result<Vec<String>> {
    let mut keys = Vec::new();
    let mut cursor = "0".to_owned();
    for _ in 0..MOST_STEPS {
        let mut step = command("SCAN", &cursor);
        step.arg("MATCH")
            .arg(pattern)
            .arg("COUNT")
            .arg(SCAN_STEP)
            .arg("TYPE")
            .arg(kind);
        let (next, found): (String, Vec<String>) = broker.ask("scan keys", step).await?;
        keys.extend(found);
        if next == "0" {
            return Ok(keys);
        }
        cursor = next;
    }
    tracing::warn!("the database has very many keys; some queues may be missing from the list");
    Ok(keys)
}

pub(super) async fn depth(broker: &RedisBroker, queues: &[String]) -> Result<Vec<QueueDepth>> {
    let mut pipeline = Pipeline::new();
    for list in queues.iter().flat_map(|queue| broker.keys.lists(queue)) {
        pipeline.cmd("LLEN").arg(list);
    }
    if pipeline.is_empty() {
        return Ok(Vec::new());
    }
    let counts: Vec<u64> = broker.ask_all("read queue lengths", &pipeline).await?;
    let steps = broker.keys.steps();
    let depth = |(queue, counts): (&String, &[u64])| {
        let by_priority = steps
            .iter()
            .copied()
            .zip(counts.iter().copied())
            .filter(|(_, count)| *count > 0);
        QueueDepth {
            queue: queue.clone(),
            by_priority: by_priority.collect(),
        }
    };
    Ok(queues
        .iter()
        .zip(counts.chunks(steps.len()))
        .map(depth)
        .collect())
}

pub(super) async fn purge(broker: &RedisBroker, queue: &str) -> Result<u64> {
    let lists = broker.keys.lists(queue);
    let mut pipeline = Pipeline::new();
    pipeline.atomic();
    for list in &lists {
        pipeline.cmd("LLEN").arg(list);
    }
    pipeline.cmd("DEL").arg(&lists);
    let answers: Vec<u64> = broker.ask_all("purge a queue", &pipeline).await?;
    Ok(answers[..lists.len()].iter().sum())
}

/// The oldest first, most urgent priority first.
pub(super) async fn peek(broker: &RedisBroker, queue: &str, max: usize) -> Result<Vec<Bytes>> {
    let mut pipeline = Pipeline::new();
    for list in broker.keys.lists(queue) {
        let from = -i64::try_from(max).unwrap_or(i64::MAX);
        pipeline.cmd("LRANGE").arg(list).arg(from).arg(-1);
    }
    let lists: Vec<Value> = broker.ask_all("read a queue", &pipeline).await?;
    let mut messages = Vec::new();
    for list in lists {
        let payloads: Vec<Vec<u8>> = redis::from_redis_value(list)
            .map_err(|error| broker.link.explain("read a queue", error.into()))?;
        messages.extend(payloads.into_iter().rev().map(Bytes::from));
    }
    messages.truncate(max);
    Ok(messages)
}
