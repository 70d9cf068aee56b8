//! A connection that rebuilds itself. It owns one multiplexed connection at a time and knows nothing of what is sent over it.
//!
//! Every call is one pipeline. An answer that does not come within the response time-out means that the connection is lost: it is
//! dropped, so that nothing hangs on a half-open one. No blocking command is ever sent: they would outlive their caller.

mod backoff;
mod connector;
mod driver;
mod standing;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use broker::{BrokerError, Result};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Cmd, Pipeline, PushInfo, PushKind, RedisError, RedisResult, Value,
};
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

pub(crate) use backoff::Backoff;
pub(crate) use connector::Connector;
pub(crate) use driver::Driver;
pub(crate) use standing::{Answer, Standing};

use crate::error::{breaks_connection, closed, explain, is_passing};
use crate::script;

/// What is done with messages that the server sends on its own. It must not block.
pub(crate) type OnPush = Arc<dyn Fn(PushInfo) + Send + Sync>;

/// The state of the connection, for those who wait for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Health {
    /// Counts the connections that were made.
    pub(crate) generation: u64,
    /// Whether the last one still stands.
    pub(crate) up: bool,
}

/// A connection that rebuilds itself; cheap to clone.
#[derive(Clone)]
pub(crate) struct Link {
    inner: Arc<Inner>,
    /// Longest time between two attempts of a call that waits.
    pause: Duration,
}

struct Inner {
    connector: Connector,
    on_push: OnPush,
    /// Sent on every new connection before anything else; its errors do not matter.
    greeting: Pipeline,
    current: Mutex<Option<Current>>,
    health: watch::Sender<Health>,
    closed: CancellationToken,
}

#[derive(Clone)]
struct Current {
    /// As in [`Health`].
    generation: u64,
    connection: MultiplexedConnection,
    /// `None` when the connection drives itself.
    driver: Option<Driver>,
    broken: Arc<AtomicBool>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("server", &self.inner.connector.server())
            .finish_non_exhaustive()
    }
}

/// The answers to a pipeline that was sent until it got through.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) answers: Vec<Value>,
    /// Whether an earlier attempt broke off, so that it may have been carried out.
    pub(crate) repeated: bool,
}

impl Link {
    /// A link that connects when it is first used. `closed` ends its waiting calls.
    pub(crate) fn new(connector: Connector, closed: CancellationToken) -> Self {
        Self::with_push(connector, closed, Pipeline::new(), Arc::new(|_| {}))
    }

    /// A link whose server sends messages on its own, after the commands of `greeting`.
    pub(crate) fn with_push(
        connector: Connector,
        closed: CancellationToken,
        greeting: Pipeline,
        on_push: OnPush,
    ) -> Self {
        let (health, _) = watch::channel(Health::default());
        Self {
            inner: Arc::new(Inner {
                connector,
                on_push,
                greeting,
                current: Mutex::new(None),
                health,
                closed,
            }),
            pause: Duration::MAX,
        }
    }

    /// The same link, whose waiting calls try again at least this often.
    pub(crate) fn trying_every(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// How long to wait between attempts.
    pub(crate) fn backoff(&self) -> Backoff {
        Backoff::up_to(self.pause)
    }

    /// How the connection is doing, now and later.
    pub(crate) fn health(&self) -> watch::Receiver<Health> {
        self.inner.health.subscribe()
    }

    /// Connects if the connection is lost.
    pub(crate) async fn ensure(&self) -> RedisResult<()> {
        self.connect().await.map(|_| ())
    }

    /// Has the server know all scripts again.
    ///
    /// # Errors
    /// The connection's, or the first that the server has with one of them.
    pub(crate) async fn load_scripts(&self) -> RedisResult<()> {
        let answers = self.try_send(&script::load_all()).await?;
        let mut loaded = answers.into_iter().map(Value::extract_error);
        loaded.try_for_each(|answer| answer.map(drop))
    }

    /// Sends once, on a new connection if the old one is lost. Errors of single commands are among the answers.
    pub(crate) async fn try_send(&self, pipeline: &Pipeline) -> RedisResult<Vec<Value>> {
        let current = self.connect().await?;
        let sent = Self::send_on(&current, pipeline).await;
        self.mark(&current, sent.as_ref().err());
        sent
    }

    /// Sends one command once.
    pub(crate) async fn try_call(&self, command: Cmd) -> RedisResult<Value> {
        let mut pipeline = Pipeline::new();
        pipeline.add_command(command);
        only(self.try_send(&pipeline).await?).extract_error()
    }

    /// Sends one command once, with the seam's errors.
    pub(crate) async fn call(&self, action: &str, command: Cmd) -> Result<Value> {
        self.try_call(command)
            .await
            .map_err(|error| self.explain(action, error))
    }

    /// Sends until it gets through: outages and short memory are waited through, also those that an answer tells of.
    ///
    /// # Errors
    /// What waiting cannot mend, and the end of waiting when the link is closed.
    pub(crate) async fn send(&self, action: &str, pipeline: &Pipeline) -> Result<Sent> {
        let mut backoff = self.backoff();
        let mut repeated = false;
        loop {
            if self.inner.closed.is_cancelled() {
                return Err(closed());
            }
            let error = match self.try_send(pipeline).await {
                Ok(answers) => match first_passing(&answers) {
                    None => return Ok(Sent { answers, repeated }),
                    Some(error) => error,
                },
                Err(error) if is_passing(&error) => error,
                Err(error) => return Err(self.explain(action, error)),
            };
            tracing::debug!(action, %error, "waiting for Redis");
            repeated = true;
            tokio::select! {
                () = backoff.pause() => {}
                () = self.inner.closed.cancelled() => return Err(closed()),
            }
        }
    }

    /// Sends one command until it gets through.
    pub(crate) async fn persist(&self, action: &str, command: Cmd) -> Result<Value> {
        let mut pipeline = Pipeline::new();
        pipeline.add_command(command);
        let answer = only(self.send(action, &pipeline).await?.answers);
        answer
            .extract_error()
            .map_err(|error| self.explain(action, error))
    }

    /// Subscribes to channels or patterns and returns when the server has confirmed it.
    pub(crate) async fn subscribe(&self, patterns: bool, topics: &[String]) -> RedisResult<()> {
        let current = self.connect().await?;
        let mut connection = current.connection.clone();
        let done = match patterns {
            true => connection.psubscribe(topics).await,
            false => connection.subscribe(topics).await,
        };
        self.mark(&current, done.as_ref().err());
        done
    }

    /// Ends subscriptions; nothing to end when the connection is lost.
    pub(crate) async fn unsubscribe(&self, patterns: bool, topics: &[String]) -> RedisResult<()> {
        let current = self.inner.current.lock().await.clone();
        let Some(current) = current.filter(Current::stands) else {
            return Ok(());
        };
        let mut connection = current.connection.clone();
        match patterns {
            true => connection.punsubscribe(topics).await,
            false => connection.unsubscribe(topics).await,
        }
    }

    /// Drops the connection.
    pub(crate) async fn hang_up(&self) {
        self.inner.current.lock().await.take();
    }

    /// The seam's error for a failed `action` on this server.
    pub(crate) fn explain(&self, action: &str, error: RedisError) -> BrokerError {
        explain(action, self.inner.connector.server(), error)
    }

    async fn connect(&self) -> RedisResult<Current> {
        let mut slot = self.inner.current.lock().await;
        if let Some(current) = slot.as_ref().filter(|current| current.stands()) {
            return Ok(current.clone());
        }
        *slot = None;
        let current = self.establish().await?;
        *slot = Some(current.clone());
        self.inner.health.send_modify(|health| {
            health.generation = current.generation;
            health.up = current.stands();
        });
        Ok(current)
    }

    async fn establish(&self) -> RedisResult<Current> {
        let broken = Arc::new(AtomicBool::new(false));
        let config =
            AsyncConnectionConfig::new().set_push_sender(self.push_sender(Arc::clone(&broken)));
        let (mut connection, driver) = self.inner.connector.open(config).await?;
        if !self.inner.greeting.is_empty() {
            connection
                .send_packed_commands(&self.inner.greeting, 0, self.inner.greeting.len())
                .await?;
        }
        Ok(Current {
            generation: self.inner.health.borrow().generation + 1,
            connection,
            driver,
            broken,
        })
    }

    fn push_sender(
        &self,
        broken: Arc<AtomicBool>,
    ) -> impl Fn(PushInfo) -> Result<(), ()> + Send + Sync + 'static {
        let on_push = Arc::clone(&self.inner.on_push);
        let health = self.inner.health.clone();
        move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                broken.store(true, Ordering::Release);
                health.send_modify(|health| health.up = false);
            }
            on_push(push);
            Ok(())
        }
    }

    async fn send_on(current: &Current, pipeline: &Pipeline) -> RedisResult<Vec<Value>> {
        let mut answers = current.exchange(pipeline).await?;
        let forgotten: Vec<usize> = (0..answers.len())
            .filter(|at| is_forgotten_script(&answers[*at]))
            .collect();
        if forgotten.is_empty() || pipeline.is_transaction() {
            return Ok(answers);
        }
        current.exchange(&script::load_all()).await?;
        let mut again = Pipeline::new();
        for at in &forgotten {
            let command = pipeline
                .cmd_iter()
                .nth(*at)
                .expect("every answer belongs to a command");
            again.add_command(command.clone());
        }
        for (at, answer) in forgotten.into_iter().zip(current.exchange(&again).await?) {
            answers[at] = answer;
        }
        Ok(answers)
    }

    /// Gives the connection up when the error says that it is of no use any more.
    fn mark(&self, current: &Current, error: Option<&RedisError>) {
        if error.is_some_and(breaks_connection) && !current.broken.swap(true, Ordering::AcqRel) {
            self.inner.health.send_modify(|health| health.up = false);
        }
    }
}

impl Current {
    fn stands(&self) -> bool {
        !self.broken.load(Ordering::Acquire)
    }

    async fn exchange(&self, pipeline: &Pipeline) -> RedisResult<Vec<Value>> {
        let mut connection = self.connection.clone();
        let exchanged = exchange(&mut connection, pipeline);
        match &self.driver {
            Some(driver) => driver.carry(exchanged).await,
            None => exchanged.await,
        }
    }
}

async fn exchange(
    connection: &mut MultiplexedConnection,
    pipeline: &Pipeline,
) -> RedisResult<Vec<Value>> {
    if !pipeline.is_transaction() {
        return connection
            .send_packed_commands(pipeline, 0, pipeline.len())
            .await;
    }
    let mut answers = connection
        .send_packed_commands(pipeline, pipeline.len() + 1, 1)
        .await?;
    match answers.pop() {
        Some(Value::Array(answers)) => Ok(answers),
        Some(Value::ServerError(error)) => Err(error.into()),
        _ => Err((
            redis::ErrorKind::UnexpectedReturnType,
            "a transaction was answered by no list",
        )
            .into()),
    }
}

fn is_forgotten_script(answer: &Value) -> bool {
    matches!(answer, Value::ServerError(error) if error.code() == script::FORGOTTEN)
}

fn first_passing(answers: &[Value]) -> Option<RedisError> {
    let errors = answers.iter().filter_map(|answer| match answer {
        Value::ServerError(error) => Some(RedisError::from(error.clone())),
        _ => None,
    });
    errors.into_iter().find(is_passing)
}

fn only(mut answers: Vec<Value>) -> Value {
    answers.pop().unwrap_or(Value::Nil)
}
