//! The operator's side: what is in the queues, what waits, what was parked, who works, and how the server is set up.

mod diagnose;
mod queues;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use ::broker::{
    Admin, Advice, Binding, Deferred, Parked, ParkedAction, QueueDepth, Result, WorkerLease,
};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use redis::{Cmd, FromRedisValue, Pipeline};
use serde::Deserialize;

use crate::consumer::consumer_of;
use crate::{RedisBroker, envelope, parked};

/// What a worker says of itself.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Node {
    node: String,
    lease_ms: i64,
}

impl RedisBroker {
    pub(crate) async fn ask<T: FromRedisValue>(&self, action: &str, command: Cmd) -> Result<T> {
        let answer = self.link.call(action, command).await?;
        redis::from_redis_value(answer).map_err(|error| self.link.explain(action, error.into()))
    }

    pub(crate) async fn ask_all<T: FromRedisValue>(
        &self,
        action: &str,
        pipeline: &Pipeline,
    ) -> Result<Vec<T>> {
        let fail = |error| self.link.explain(action, error);
        let answers = self.link.try_send(pipeline).await.map_err(fail)?;
        let read = |answer: redis::Value| {
            redis::from_redis_value(answer.extract_error().map_err(fail)?)
                .map_err(|error| fail(error.into()))
        };
        answers.into_iter().map(read).collect()
    }
}

fn command(verb: &str, key: &str) -> Cmd {
    let mut command = redis::cmd(verb);
    command.arg(key);
    command
}

#[async_trait]
impl Admin for RedisBroker {
    async fn ping(&self) -> Result<Duration> {
        let before = Instant::now();
        self.link.call("ping", redis::cmd("PING")).await?;
        Ok(before.elapsed())
    }

    async fn queues(&self) -> Result<Vec<String>> {
        queues::names(self).await
    }

    async fn bindings(&self) -> Result<Vec<Binding>> {
        queues::bindings(self).await
    }

    async fn depth(&self, queues: &[String]) -> Result<Vec<QueueDepth>> {
        queues::depth(self, queues).await
    }

    async fn purge(&self, queue: &str) -> Result<u64> {
        queues::purge(self, queue).await
    }

    async fn peek(&self, queue: &str, max: usize) -> Result<Vec<Bytes>> {
        queues::peek(self, queue, max).await
    }

    async fn deferred(&self, max: usize) -> Result<Vec<Deferred>> {
        if max == 0 {
            return Ok(Vec::new());
        }
        let action = "read deferred messages";
        let mut range = command("ZRANGE", &self.keys.eta);
        range.arg(0).arg(max - 1).arg("WITHSCORES");
        let waiting: Vec<(String, f64)> = self.ask(action, range).await?;
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        let mut records = command("HMGET", &self.keys.unacked);
        records.arg(waiting.iter().map(|(tag, _)| tag).collect::<Vec<_>>());
        let records: Vec<Option<Vec<u8>>> = self.ask(action, records).await?;
        let read = |((id, due), record): ((String, f64), Option<Vec<u8>>)| {
            let record = record?;
            let held = envelope::read_own(&record)?;
            let due = Timestamp::from_millisecond(due as i64).ok()?;
            Some(Deferred {
                id,
                queue: held.routing_key.to_string(),
                due,
                raw: Bytes::copy_from_slice(held.envelope),
            })
        };
        Ok(waiting.into_iter().zip(records).filter_map(read).collect())
    }

    async fn hasten(&self, ids: &[String]) -> Result<u64> {
        if ids.is_empty() {
            return Ok(0);
        }
        let mut hasten = command("ZADD", &self.keys.eta);
        hasten.arg("XX").arg("CH");
        for id in ids {
            hasten.arg(0).arg(id);
        }
        self.ask("hasten deferred messages", hasten).await
    }

    async fn parked(&self, max: usize) -> Result<Vec<Parked>> {
        if max == 0 {
            return Ok(Vec::new());
        }
        let action = "read parked messages";
        let mut range = command("ZRANGE", &self.keys.parked_index);
        range.arg(0).arg(max - 1);
        let ids: Vec<String> = self.ask(action, range).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut records = command("HMGET", &self.keys.parked);
        records.arg(&ids);
        let records: Vec<Option<Vec<u8>>> = self.ask(action, records).await?;
        Ok(ids
            .iter()
            .zip(records)
            .filter_map(|(id, record)| parked::read(id, &record?))
            .collect())
    }

    async fn settle_parked(&self, id: &str, action: ParkedAction) -> Result<bool> {
        let doing = "settle a parked message";
        let mut record = command("HGET", &self.keys.parked);
        record.arg(id);
        let record: Option<Vec<u8>> = self.ask(doing, record).await?;
        let Some(record) = record else {
            return Ok(false);
        };
        let mut settle = crate::script::UNPARK.on(&[&self.keys.parked, &self.keys.parked_index]);
        settle.arg(id);
        if let (ParkedAction::Requeue, Some(parked)) = (action, parked::read(id, &record)) {
            let step = self.keys.step(envelope::priority(&parked.raw));
            settle
                .arg(self.keys.list(&parked.queue, step))
                .arg(envelope::forgiven(&parked.raw));
        }
        Ok(self.ask::<i64>(doing, settle).await? == 1)
    }

    async fn workers(&self) -> Result<Vec<WorkerLease>> {
        let mut pipeline = Pipeline::new();
        pipeline.cmd("HGETALL").arg(&self.keys.nodes);
        let action = "read the workers";
        let nodes: Vec<HashMap<String, String>> = self.ask_all(action, &pipeline).await?;
        let nodes = nodes.into_iter().next().unwrap_or_default();
        let mut range = command("ZRANGE", &self.keys.workers);
        range.arg(0).arg(-1).arg("WITHSCORES");
        let leases: Vec<(String, f64)> = self.ask(action, range).await?;
        let lease = |(incarnation, ends): (String, f64)| {
            let node: Node = nodes
                .get(&incarnation)
                .and_then(|text| serde_json::from_str(text).ok())
                .unwrap_or_default();
            let renewed = Timestamp::from_millisecond(ends as i64 - node.lease_ms).ok()?;
            let incarnation = consumer_of(&incarnation).to_owned();
            Some(WorkerLease {
                node: node.node,
                incarnation,
                renewed,
                held: None,
            })
        };
        Ok(leases.into_iter().filter_map(lease).collect())
    }

    async fn diagnose(&self) -> Result<Vec<Advice>> {
        diagnose::diagnose(self).await
    }
}
