//! The operator's side of the memory broker.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::MemoryBroker;
use super::envelope::Item;
use super::parking::ParkedItem;
use crate::{
    Admin, Advice, Binding, Deferred, Parked, ParkedAction, QueueDepth, Result, Severity,
    WorkerLease,
};

#[async_trait]
impl Admin for MemoryBroker {
    async fn ping(&self) -> Result<Duration> {
        self.shared.check_open()?;
        Ok(Duration::ZERO)
    }

    async fn queues(&self) -> Result<Vec<String>> {
        let names: BTreeSet<String> = self.shared.look(|state| {
            let bound = state.bindings.iter().map(|(_, _, queue)| queue);
            let all = state.queues.names().chain(bound);
            all.filter(|queue| !state.bindings.is_mailbox(queue))
                .map(str::to_owned)
                .collect()
        });
        Ok(names.into_iter().collect())
    }

    async fn bindings(&self) -> Result<Vec<Binding>> {
        let mut bindings: Vec<_> = self.shared.look(|state| {
            let bindings = state.bindings.iter();
            let binding = |(exchange, key, queue): (&str, &str, &str)| Binding {
                queue: queue.to_owned(),
                exchange: exchange.to_owned(),
                routing_key: key.to_owned(),
            };
            bindings
                .map(binding)
                .filter(|binding| !state.bindings.is_mailbox(&binding.queue))
                .collect()
        });
        bindings.sort();
        Ok(bindings)
    }

    async fn depth(&self, queues: &[String]) -> Result<Vec<QueueDepth>> {
        Ok(self.shared.look(|state| {
            queues
                .iter()
                .map(|queue| state.queues.depth(queue))
                .collect()
        }))
    }

    async fn purge(&self, queue: &str) -> Result<u64> {
        Ok(self.shared.change(|state| state.queues.purge(queue)))
    }

    async fn peek(&self, queue: &str, max: usize) -> Result<Vec<Bytes>> {
        Ok(self.shared.look(|state| {
            state
                .queues
                .iter(queue)
                .take(max)
                .map(|item| item.raw.clone())
                .collect()
        }))
    }

    async fn deferred(&self, max: usize) -> Result<Vec<Deferred>> {
        Ok(self.shared.look(|state| {
            let waiting = state.deferred.iter().take(max);
            waiting
                .map(|(due, id, item)| Deferred {
                    id: id.to_string(),
                    queue: item.queue.to_string(),
                    due,
                    raw: item.raw.clone(),
                })
                .collect()
        }))
    }

    async fn hasten(&self, ids: &[String]) -> Result<u64> {
        let ids: BTreeSet<u64> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        Ok(self.shared.change(|state| state.deferred.hasten(&ids)))
    }

    async fn parked(&self, max: usize) -> Result<Vec<Parked>> {
        Ok(self
            .shared
            .look(|state| state.parking.iter().take(max).map(describe).collect()))
    }

    async fn settle_parked(&self, id: &str, action: ParkedAction) -> Result<bool> {
        Ok(self.shared.change(|state| {
            let Some(parked) = state.parking.remove(id) else {
                return false;
            };
            if action == ParkedAction::Requeue {
                let item = parked.item.redelivered();
                state.queues.push_back(Item { deaths: 0, ..item });
            }
            true
        }))
    }

    async fn workers(&self) -> Result<Vec<WorkerLease>> {
        Ok(self.shared.look(|state| {
            let leases = state
                .workers
                .iter()
                .map(|(incarnation, worker)| WorkerLease {
                    node: worker.node.clone(),
                    incarnation: incarnation.to_string(),
                    renewed: worker.renewed,
                    held: Some(state.held_by(incarnation)),
                });
            leases.collect()
        }))
    }

    async fn diagnose(&self) -> Result<Vec<Advice>> {
        Ok(vec![Advice {
            subject: "durability".to_owned(),
            severity: Severity::Hint,
            found: "messages and results live in this process only".to_owned(),
            remedy: "use a Redis or SQLite URL when they must outlive it".to_owned(),
        }])
    }
}

fn describe((id, parked): (u64, &ParkedItem)) -> Parked {
    Parked {
        id: id.to_string(),
        queue: parked.item.queue.to_string(),
        reason: parked.reason.clone(),
        at: parked.at,
        node: parked.node.clone(),
        raw: parked.item.raw.clone(),
    }
}
