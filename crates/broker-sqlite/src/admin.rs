//! The operator's seam on a SQLite file.

mod diagnosis;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use broker::{
    Admin, Advice, Binding, Deferred, Parked, ParkedAction, QueueDepth, Result, WorkerLease,
};
use bytes::Bytes;

use crate::SqliteBroker;
use crate::clock::{timestamp, wall_time_of};
use crate::operations::deferred::Hasten;
use crate::operations::mailbox::Purge;
use crate::operations::parked::SettleParked;
use crate::reads::operator as reads;

#[async_trait]
impl Admin for SqliteBroker {
    async fn ping(&self) -> Result<Duration> {
        let start = Instant::now();
        reads::sqlite_version(&self.store.readers).await?;
        Ok(start.elapsed())
    }

    async fn queues(&self) -> Result<Vec<String>> {
        Ok(reads::queues(&self.store.readers).await?)
    }

    async fn bindings(&self) -> Result<Vec<Binding>> {
        let rows = reads::bindings(&self.store.readers).await?.into_iter();
        let binding = |(queue, exchange, routing_key): (String, String, String)| Binding {
            queue,
            exchange,
            routing_key,
        };
        Ok(rows.map(binding).collect())
    }

    async fn depth(&self, queues: &[String]) -> Result<Vec<QueueDepth>> {
        let mut by_queue: HashMap<String, Vec<(u8, u64)>> = HashMap::new();
        for (queue, step, count) in reads::depth(&self.store.readers, queues).await? {
            by_queue
                .entry(queue)
                .or_default()
                .push((step, count.unsigned_abs()));
        }
        let depth = |queue: &String| QueueDepth {
            queue: queue.clone(),
            by_priority: by_queue.get(queue).cloned().unwrap_or_default(),
        };
        Ok(queues.iter().map(depth).collect())
    }

    async fn purge(&self, queue: &str) -> Result<u64> {
        Ok(self.store.write(Purge(queue.to_owned())).await? as u64)
    }

    async fn peek(&self, queue: &str, max: usize) -> Result<Vec<Bytes>> {
        let bodies = reads::peek(&self.store.readers, queue, max).await?;
        Ok(bodies.into_iter().map(Bytes::from).collect())
    }

    async fn deferred(&self, max: usize) -> Result<Vec<Deferred>> {
        let rows = reads::deferred(&self.store.readers, max).await?;
        let deferred = |(id, queue, due, raw): reads::DeferredRow| Deferred {
            id: id.to_string(),
            queue,
            due: timestamp(due),
            raw: raw.into(),
        };
        Ok(rows.into_iter().map(deferred).collect())
    }

    async fn hasten(&self, ids: &[String]) -> Result<u64> {
        let ids = ids.iter().filter_map(|id| id.parse().ok()).collect();
        Ok(self.store.write(Hasten(ids)).await? as u64)
    }

    async fn parked(&self, max: usize) -> Result<Vec<Parked>> {
        let rows = reads::parked(&self.store.readers, max).await?;
        let parked = |(id, queue, reason, at, node, raw): reads::ParkedRow| Parked {
            id: id.to_string(),
            queue,
            reason,
            at: timestamp(at),
            node,
            raw: raw.into(),
        };
        Ok(rows.into_iter().map(parked).collect())
    }

    async fn settle_parked(&self, id: &str, action: ParkedAction) -> Result<bool> {
        let Ok(id) = id.parse() else { return Ok(false) };
        Ok(self.store.write(SettleParked { id, action }).await?)
    }

    async fn workers(&self) -> Result<Vec<WorkerLease>> {
        let rows = reads::workers(&self.store.readers).await?;
        let lease = |(node, incarnation, renewed, held): (String, String, i64, i64)| WorkerLease {
            node,
            incarnation,
            renewed: wall_time_of(renewed),
            held: Some(held.unsigned_abs()),
        };
        Ok(rows.into_iter().map(lease).collect())
    }

    async fn diagnose(&self) -> Result<Vec<Advice>> {
        Ok(diagnosis::diagnose(&self.store).await?)
    }
}
