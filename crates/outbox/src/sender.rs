//! The sending: one sender at a time, in order, deleting only what the broker has confirmed.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::broker::{Broker, BrokerError, ErrorKind};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::stored::Stored;
use crate::{Outbox, OutboxError};

/// How often a sender looks for what a process that has ended has left.
const CHECK: Duration = Duration::from_secs(1);
/// The first wait for a broker that does not answer, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What came of an attempt to send everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// Nothing waits any more but what the broker refuses.
    All {
        /// How many messages were sent.
        sent: usize,
    },
    /// Another sender is at it.
    Elsewhere,
}

/// Sends what waits in an outbox.
#[derive(Clone, Debug)]
pub struct Sender {
    outbox: Arc<Outbox>,
    broker: Arc<dyn Broker>,
}

impl Sender {
    /// From this outbox to this broker.
    pub fn new(outbox: Arc<Outbox>, broker: Arc<dyn Broker>) -> Self {
        Self { outbox, broker }
    }

    /// Sends everything in its order, unless another sender is at it.
    ///
    /// # Errors
    /// The first that time or an operator has to mend: the broker cannot be reached or denies everything, or the file fails. What
    /// was not sent stays.
    pub async fn deliver(&self) -> Result<Delivered, BrokerError> {
        let Some(_turn) = self.take_turn()? else {
            return Ok(Delivered::Elsewhere);
        };
        let mut sent = 0;
        loop {
            let batch = self.outbox.oldest().await?;
            if batch.is_empty() {
                self.outbox.look().await?;
                return Ok(Delivered::All { sent });
            }
            sent += self.send(&batch).await?;
        }
    }

    /// Sends a batch at once; when something in it is refused, one by one.
    async fn send(&self, batch: &[Stored]) -> Result<usize, BrokerError> {
        let error = match self.publish(batch).await {
            Ok(()) => return Ok(batch.len()),
            Err(error) if !is_its_own(&error) => return Err(error),
            Err(error) => error,
        };
        if let [only] = batch {
            tracing::error!(id = only.id, %error, "the broker refuses a message of the outbox; it stays there");
            self.outbox.refuse(only.id, &error.to_string()).await?;
            return Ok(0);
        }
        let mut sent = 0;
        for message in batch {
            sent += Box::pin(self.send(std::slice::from_ref(message))).await?;
        }
        Ok(sent)
    }

    async fn publish(&self, batch: &[Stored]) -> Result<(), BrokerError> {
        let messages = batch
            .iter()
            .map(Stored::publish)
            .collect::<Result<_, _>>()?;
        self.broker.publish(messages).await?;
        let ids: Vec<i64> = batch.iter().map(|message| message.id).collect();
        self.outbox.delete(&ids).await?;
        Ok(())
    }

    /// The lock that the system takes away from a process that ends.
    fn take_turn(&self) -> Result<Option<File>, OutboxError> {
        let path = self.lock_path();
        let failed = |source| OutboxError::Io {
            path: path.clone(),
            source,
        };
        let file = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    fn lock_path(&self) -> PathBuf {
        let mut path = self.outbox.options().path.clone().into_os_string();
        path.push(".lock");
        path.into()
    }

    /// Sends what waits, now and whenever it is woken, until it is stopped. Between the broker's confirmation and the deletion nothing
    /// stops it but the end of the process.
    pub(crate) async fn run(self, wake: Arc<Notify>, stop: CancellationToken) {
        let mut wait = FIRST_WAIT;
        while !stop.is_cancelled() {
            let attempted = self.attempt().await;
            // Whoever stores more while the broker is down does not make it answer sooner.
            let (rest, wakeful) = match attempted {
                Ok(()) => (CHECK, true),
                Err(_) => (wait, false),
            };
            wait = match attempted {
                Ok(()) => FIRST_WAIT,
                Err(error) => {
                    tracing::debug!(%error, ?wait, "what waits in the outbox cannot be sent yet");
                    (wait * 2).min(LONGEST_WAIT)
                }
            };
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = wake.notified(), if wakeful => {}
                () = stop.cancelled() => {}
            }
        }
    }

    async fn attempt(&self) -> Result<(), BrokerError> {
        if self.outbox.look().await? {
            let delivered = self.deliver().await?;
            tracing::info!(?delivered, "the outbox was sent");
        }
        Ok(())
    }
}

/// Whether the message is at fault, so that waiting would hold up all others for nothing.
fn is_its_own(error: &BrokerError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Invalid | ErrorKind::Corrupt | ErrorKind::Other
    )
}
