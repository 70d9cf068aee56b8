//! One incarnation of a worker on the file: reserves, settles, and keeps its lease.

mod keeper;
mod promoter;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use broker::ResultPolicy;
use broker::{
    BrokerError, Consumer, ConsumerParams, Delivery, ErrorKind, Notice, QueueOrder, Renewal,
    Result, Settled, Settlement,
};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::bell::{LOOK_ANYWAY, News};
use crate::error::SqliteError;
use crate::operations::lease::{End, Left, Register};
use crate::operations::publish::Declare;
use crate::operations::reserve::{Reserve, Shelf};
use crate::operations::settle::Settle;
use crate::outage::{Outage, notify};
use crate::store::Store;
use crate::wire;

/// A consumer on a broker's file. Dropping it without closing stops its renewals, as the death of its process would.
#[derive(Debug)]
pub(crate) struct SqliteConsumer {
    incarnation: Arc<Incarnation>,
    _stop: DropGuard,
}

/// What the consumer shares with the tasks that keep it.
#[derive(Debug)]
struct Incarnation {
    store: Arc<Store>,
    params: ConsumerParams,
    policy: Option<ResultPolicy>,
    name: String,
    /// Its number in the file; a new one after it was declared dead.
    worker: AtomicI64,
    /// In the order in which they are asked next.
    queues: watch::Sender<Vec<String>>,
    shelf: Shelf,
    /// Those who reserve, one after the other: each takes from the shelf in its turn.
    turns: tokio::sync::Mutex<()>,
    stopped: CancellationToken,
    renewal: Renewal,
}

impl SqliteConsumer {
    pub(crate) async fn open(
        store: Arc<Store>,
        params: ConsumerParams,
        policy: Option<ResultPolicy>,
    ) -> Result<Arc<Self>> {
        let stopped = store.closed.child_token();
        let incarnation = Arc::new(Incarnation {
            queues: watch::Sender::new(in_order(params.queues.clone(), params.order)),
            name: Uuid::new_v4().to_string(),
            worker: AtomicI64::default(),
            shelf: Shelf::default(),
            turns: tokio::sync::Mutex::default(),
            stopped: stopped.clone(),
            renewal: Renewal::new(),
            store,
            params,
            policy,
        });
        incarnation.register().await?;
        let tasks = &incarnation.store.tasks;
        tasks.spawn(
            stopped
                .clone()
                .run_until_cancelled_owned(keeper::run(incarnation.clone())),
        );
        tasks.spawn(
            stopped
                .clone()
                .run_until_cancelled_owned(promoter::run(incarnation.clone())),
        );
        Ok(Arc::new(Self {
            incarnation,
            _stop: stopped.drop_guard(),
        }))
    }
}

#[async_trait]
impl Consumer for SqliteConsumer {
    fn incarnation(&self) -> &str {
        &self.incarnation.name
    }

    async fn reserve(&self, max: usize) -> Result<Vec<Delivery>> {
        self.incarnation.reserve(max.max(1)).await
    }

    async fn settle(&self, batch: Vec<Settlement>) -> Result<Vec<Settled>> {
        self.incarnation.settle(batch).await
    }

    fn lease_age(&self) -> Duration {
        self.incarnation.renewal.age()
    }

    async fn set_queues(&self, queues: Vec<String>) -> Result<()> {
        self.incarnation
            .store
            .write(Declare(queues.clone()))
            .await?;
        self.incarnation
            .queues
            .send_replace(in_order(queues, self.incarnation.params.order));
        Ok(())
    }

    async fn close(&self) -> Result<usize> {
        self.incarnation.close().await
    }
}

impl Incarnation {
    async fn register(&self) -> Result<(), SqliteError> {
        let register = Register {
            incarnation: self.name.clone(),
            node: self.params.node.clone(),
            lease_ms: i64::try_from(self.params.lease.as_millis()).unwrap_or(i64::MAX / 4),
            queues: self.queues.borrow().clone(),
        };
        let worker = self.store.write(register).await?;
        self.worker.store(worker, Ordering::Release);
        Ok(())
    }

    fn worker(&self) -> i64 {
        self.worker.load(Ordering::Acquire)
    }

    async fn reserve(&self, max: usize) -> Result<Vec<Delivery>> {
        let _turn = self.turns.lock().await;
        let (mut ready, mut queues) = (self.store.bell.hear(News::Ready), self.queues.subscribe());
        let mut outage = Outage::new(&self.params.notices);
        loop {
            self.check_open()?;
            // Heard before looking, so that what comes in between is not missed.
            ready.borrow_and_update();
            queues.borrow_and_update();
            let deliveries = self.shelved(max);
            if !deliveries.is_empty() {
                return Ok(deliveries);
            }
            match self.fill_shelf(max).await.map_err(BrokerError::from) {
                Ok(found) => {
                    outage.over();
                    if found {
                        continue;
                    }
                }
                Err(error) if error.is_transient() => {
                    outage.wait(&error).await;
                    continue;
                }
                Err(error) => return Err(error),
            }
            tokio::select! {
                _ = ready.changed() => {}
                _ = queues.changed() => {}
                () = self.stopped.cancelled() => {}
                () = sleep(LOOK_ANYWAY) => {}
            }
        }
    }

    /// What lies on the shelf, without what an earlier life of this incarnation took.
    fn shelved(&self, max: usize) -> Vec<Delivery> {
        let worker = self.worker();
        let taken = self
            .shelf
            .take(max)
            .into_iter()
            .filter(|taken| taken.worker == worker);
        taken
            .map(|taken| wire::delivery(&self.name, taken, &self.params.limits))
            .collect()
    }

    /// Takes what is ready; whether there was something.
    async fn fill_shelf(&self, max: usize) -> Result<bool, SqliteError> {
        let reserve = Reserve {
            worker: self.worker(),
            queues: self.queues.borrow().clone(),
            order: self.params.order,
            max,
            asked: Instant::now(),
            shelf: self.shelf.clone(),
            taken: Vec::new(),
        };
        let taken = self.store.write(reserve).await?;
        self.rotate(&taken);
        Ok(!taken.is_empty())
    }

    /// A queue that gave a message goes to the end of the line.
    fn rotate(&self, taken: &[String]) {
        if self.params.order != QueueOrder::RoundRobin {
            return;
        }
        self.queues.send_if_modified(|queues| {
            if queues.len() > 1 {
                // Only a queue's last message decides its place.
                let last = |queue: &String| taken.iter().rposition(|taken| taken == queue);
                queues.sort_by_key(|queue| last(queue).map_or(0, |place| place + 1));
            }
            // The order is nobody's news.
            false
        });
    }

    async fn settle(&self, batch: Vec<Settlement>) -> Result<Vec<Settled>> {
        self.check_open()?;
        let encode = |settlement| wire::order(&self.name, settlement, self.policy.as_ref());
        let orders = batch.into_iter().map(encode).collect::<Result<Vec<_>>>()?;
        let settle = Settle {
            node: self.params.node.clone(),
            orders: orders.into(),
        };
        let mut outage = Outage::new(&self.params.notices);
        loop {
            match self
                .store
                .write(settle.clone())
                .await
                .map_err(BrokerError::from)
            {
                Ok(settled) => {
                    let repeated = outage.was_there();
                    outage.over();
                    return Ok(if repeated {
                        settled.into_iter().map(uncertain).collect()
                    } else {
                        settled
                    });
                }
                Err(error) if error.is_transient() => outage.wait(&error).await,
                Err(error) => return Err(error),
            }
        }
    }

    async fn close(&self) -> Result<usize> {
        self.stopped.cancel();
        let end = End {
            worker: self.worker(),
            if_renewed_at: None,
            policy: self.policy.clone(),
        };
        let left = self.store.write(end).await?.unwrap_or_default();
        Ok(self.tell_lost(left))
    }

    /// Tells of lost runs; returns the number of messages that are ready again.
    fn tell_lost(&self, left: Left) -> usize {
        for meta in left.lost {
            notify(
                &self.params.notices,
                Notice::Lost {
                    meta: Box::new(meta),
                },
            );
        }
        left.given_back
    }

    fn check_open(&self) -> Result<()> {
        match self.stopped.is_cancelled() {
            true => Err(BrokerError::new(
                ErrorKind::Closed,
                "this consumer was closed",
            )),
            false => Ok(()),
        }
    }
}

fn in_order(mut queues: Vec<String>, order: QueueOrder) -> Vec<String> {
    if order == QueueOrder::Sorted {
        queues.sort();
    }
    queues
}

/// A repeated settlement that finds the tag gone may have been carried out the first time.
fn uncertain(settled: Settled) -> Settled {
    match settled {
        Settled::Refused => Settled::Uncertain,
        settled => settled,
    }
}
