//! A notification's channels, those that are still to be sent.

use futures_util::future::try_join_all;
use jiff::Timestamp;
use portfolio::store::{Channel, DeliveryStatus, Notification, Recipient, Store};

use crate::attempt::Attempt;
use crate::channels::Channels;
use crate::error::Result;

/// Whether there will be another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// What does not work now stays pending.
    TryAgain,
    /// What does not work now has failed.
    LastTry,
}

impl Channels {
    /// Tries every channel that is pending, all at once, and notes what became of each. Returns the reasons of those that are
    /// pending still.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn deliver(
        &self,
        store: &Store,
        notification: &Notification,
        recipient: &Recipient,
        outlook: Outlook,
    ) -> Result<Vec<String>> {
        let deliveries = store.deliveries(notification.id).await?;
        let pending = deliveries
            .iter()
            .filter(|delivery| delivery.status == DeliveryStatus::Pending)
            .map(|delivery| self.tried(store, notification, recipient, delivery.channel, outlook));
        let reasons = try_join_all(pending).await?;
        Ok(reasons.into_iter().flatten().collect())
    }

    /// One channel, with its row written before and after. The reason when it is pending still.
    async fn tried(
        &self,
        store: &Store,
        notification: &Notification,
        recipient: &Recipient,
        channel: Channel,
        outlook: Outlook,
    ) -> Result<Option<String>> {
        store.begin_delivery(notification.id, channel).await?;
        let now = Timestamp::now();
        let attempt = self.attempt(channel, notification, recipient, now).await;
        let (status, error) = match attempt {
            Attempt::Sent => (DeliveryStatus::Sent, None),
            Attempt::Skipped(reason) => (DeliveryStatus::Skipped, Some(reason.to_owned())),
            Attempt::Refused(reason) => (DeliveryStatus::Failed, Some(reason)),
            Attempt::Temporary(reason) if outlook == Outlook::LastTry => {
                (DeliveryStatus::Failed, Some(reason))
            }
            Attempt::Temporary(reason) => (DeliveryStatus::Pending, Some(reason)),
        };
        let (id, now) = (notification.id, Timestamp::now());
        store
            .end_delivery(id, channel, status, error.as_deref(), now)
            .await?;
        let left = status == DeliveryStatus::Pending;
        let reason = error.filter(|_| left);
        Ok(reason.map(|reason| format!("{}: {reason}", channel.as_str())))
    }
}
