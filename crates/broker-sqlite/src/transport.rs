//! The transport seam on a SQLite file.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use broker::{
    Backends, Binding, Broker, Capabilities, Consumer, ConsumerParams, ExchangeKind, Publish,
    Result, ResultPolicy, Source, Subscription,
};
use protocol::Message;

use crate::consumer::SqliteConsumer;
use crate::listening::{broadcast, mailbox};
use crate::operations::feed::Broadcast;
use crate::operations::mailbox::Mailbox;
use crate::operations::publish;
use crate::options::SqliteOptions;
use crate::results::SqliteResults;
use crate::room;
use crate::store::Store;
use crate::wire;

/// Transport, coordinator and operator's side in one file, for many processes of one machine at once.
///
/// What it promises: a confirmed publish, settlement or result survives the death of every process at any instant; with
/// `synchronous=full` also a power cut. On a full disk publishing fails, and workers go on with the room that is kept for them,
/// or wait. The file must be on a local disk. Time is the machine's.
#[derive(Debug)]
pub struct SqliteBroker {
    pub(crate) store: Arc<Store>,
    policy: Option<ResultPolicy>,
}

impl SqliteBroker {
    /// Opens the file, and creates it and its folder when they are missing. With a `policy`, results live in the same file and
    /// are stored in the same atomic step as a settlement.
    ///
    /// # Errors
    /// When the file or its folder cannot be created, read or written, is damaged, is not a broker's, or has a newer schema.
    pub async fn connect(
        options: SqliteOptions,
        policy: Option<ResultPolicy>,
    ) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            store: Store::open(options).await?,
            policy,
        }))
    }

    /// The results in the same file, if there is a policy for them.
    pub fn results(&self) -> Option<Arc<SqliteResults>> {
        let policy = self.policy.clone()?;
        Some(Arc::new(SqliteResults::new(self.store.clone(), policy)))
    }

    /// Every seam that this file stands behind.
    pub fn backends(self: Arc<Self>) -> Backends {
        let results = self
            .results()
            .map(|results| results as Arc<dyn broker::ResultBackend>);
        Backends {
            admin: self.clone(),
            coordinator: self.clone(),
            broker: self,
            results,
        }
    }
}

#[async_trait]
impl Broker for SqliteBroker {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            results_with_settlement: self.policy.is_some(),
            defers_on_server: true,
            low_priority_number_first: true,
            durable: true,
        }
    }

    async fn publish(&self, batch: Vec<Publish>) -> Result<()> {
        room::check(&self.store).await?;
        let outgoing = wire::outgoing(batch)?;
        Ok(self.store.write(publish::Publish(outgoing)).await?)
    }

    async fn consumer(&self, params: ConsumerParams) -> Result<Arc<dyn Consumer>> {
        Ok(SqliteConsumer::open(self.store.clone(), params, self.policy.clone()).await?)
    }

    async fn bind(&self, binding: Binding, kind: ExchangeKind) -> Result<()> {
        kind.check_stores()?;
        Ok(self.store.write(publish::Bind(binding)).await?)
    }

    async fn broadcast(&self, exchange: &str, routing_key: &str, message: Message) -> Result<()> {
        let body = wire::encode_broadcast(message)?;
        let broadcast = Broadcast {
            exchange: exchange.to_owned(),
            key: routing_key.to_owned(),
            body,
        };
        Ok(self.store.write(broadcast).await?)
    }

    async fn subscribe(&self, source: Source) -> Result<Subscription> {
        let store = self.store.clone();
        Ok(match source {
            Source::Broadcast {
                exchange,
                binding_key,
            } => broadcast::subscribe(store, exchange, binding_key).await?,
            Source::Mailbox {
                exchange,
                kind: _,
                routing_key,
                queue,
                expires,
            } => {
                let expires_ms = i64::try_from(expires.max(Duration::from_secs(1)).as_millis())
                    .unwrap_or(i64::MAX);
                mailbox::subscribe(
                    store,
                    Mailbox {
                        exchange,
                        routing_key,
                        queue,
                        expires_ms,
                    },
                )
                .await?
            }
        })
    }

    async fn close(&self) {
        self.store.close().await;
    }
}
