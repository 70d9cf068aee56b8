//! The Redis server in which tasks leave traces for the tests: `REDIS_HOST` and `REDIS_PORT`, database 0.

use std::env;

use protocol::{Value, saferepr};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, Client, RedisError};
use tokio::sync::OnceCell;
use worker::{Context, FailedTask, Failure, Outcome};

const GIVEN: &str = "the registry gives every task the store";

/// The server; the connection is made when it is first needed.
#[derive(Debug)]
pub(crate) struct Store {
    client: Client,
    connection: OnceCell<MultiplexedConnection>,
}

impl Store {
    pub(crate) fn from_environment() -> Result<Self, RedisError> {
        let variable = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
        let host = variable("REDIS_HOST", "localhost");
        let port = variable("REDIS_PORT", "6379");
        Ok(Self {
            client: Client::open(format!("redis://{host}:{port}/0"))?,
            connection: OnceCell::new(),
        })
    }

    /// The store of the task's worker.
    pub(crate) fn of(ctx: &Context) -> &Self {
        ctx.state().expect(GIVEN)
    }

    /// The store of the errback's worker.
    pub(crate) fn of_failed(failed: &FailedTask) -> &Self {
        failed.state().expect(GIVEN)
    }

    /// Appends a value to the list `key`.
    pub(crate) async fn push(&self, key: &str, value: &Value) -> Result<(), Outcome> {
        let text = text(value)?;
        Ok(self.connection().await?.rpush(key, text).await?)
    }

    /// Adds one to the number `key`.
    pub(crate) async fn increment(&self, key: &str) -> Result<(), Outcome> {
        Ok(self.connection().await?.incr(key, 1).await?)
    }

    /// Adds one to a field of the hash `key`.
    pub(crate) async fn increment_in(&self, key: &str, field: &str) -> Result<(), Outcome> {
        Ok(self.connection().await?.hincr(key, field, 1).await?)
    }

    /// Sets a field of the hash `key`.
    pub(crate) async fn set_in(&self, key: &str, field: &str, value: &str) -> Result<(), Outcome> {
        Ok(self.connection().await?.hset(key, field, value).await?)
    }

    async fn connection(&self) -> Result<MultiplexedConnection, RedisError> {
        self.connection
            .get_or_try_init(|| self.client.get_multiplexed_async_connection())
            .await
            .cloned()
    }
}

/// A value as redis-py writes it: texts and numbers only.
fn text(value: &Value) -> Result<Vec<u8>, Outcome> {
    match value {
        Value::Str(text) => Ok(text.clone().into_bytes()),
        Value::Bytes(bytes) => Ok(bytes.clone()),
        Value::Int(_) | Value::BigInt(_) | Value::Float(_) => {
            Ok(saferepr(value, 1_024, 1).into_bytes())
        }
        other => {
            let detail = format!("Invalid input of type: {}", other.type_name());
            let failure = Failure::new("DataError", "redis.exceptions", vec![detail.into()]);
            Err(Outcome::Fail(Box::new(failure)))
        }
    }
}
