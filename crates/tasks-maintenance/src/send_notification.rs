//! `apps.main.tasks.send_notification`: the row, then each channel.

use jiff::Timestamp;
use notify::{Outlook, Preferences};
use portfolio::store::{
    Channel, Delivery, DeliveryStatus, NewNotification, Notification, Recipient,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tasks::catalogue::{SEND_NOTIFICATION, Spec};
use tasks::{Answer, FinanceTask, Run, failure, named};
use worker::Outcome;

use crate::notifier::notifier;

/// A subject made of a message is no longer than this.
const SUBJECT_CHARS: usize = 80;

/// Tells a user something.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SendNotification {
    /// Whom.
    pub user_id: i64,
    /// What.
    pub message: String,
    /// `info`, `warning` or `alert`.
    pub notification_type: String,
    /// One line; the message's first unless given.
    pub subject: Option<String>,
    /// How; as the user prefers unless given.
    pub channels: Option<Vec<Channel>>,
    /// An object for programs.
    pub data: Option<Value>,
    /// What makes it the same when it is called again; the task's id unless given.
    pub dedupe_key: Option<String>,
}

/// What became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Told {
    /// The row.
    pub notification_id: i64,
    /// Each channel.
    pub deliveries: Vec<Delivery>,
    /// Whether an earlier call had the same key, so that this one sent nothing new.
    pub duplicate: bool,
}

impl FinanceTask for SendNotification {
    const SPEC: Spec = SEND_NOTIFICATION;
    type Data = Told;

    /// Two calls with one key at the same time could both find a channel that is not sent yet.
    fn lock(&self) -> Option<String> {
        let key = self.dedupe_key.as_ref()?;
        Some(format!("notification:{}:{key}", self.user_id))
    }

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<Told>, Outcome> {
        let (ctx, store) = (run.ctx(), run.store().await?);
        let recipient = store.recipient(self.user_id).await.map_err(failure)?;
        let (notification, is_new) = self.store(run, &recipient).await?;
        let last = ctx.retries() >= Self::SPEC.retry.max;
        let outlook = if last {
            Outlook::LastTry
        } else {
            Outlook::TryAgain
        };
        let channels = notifier(ctx)?.channels();
        let delivered = channels.deliver(store, &notification, &recipient, outlook);
        let left = delivered.await.map_err(undelivered)?;
        if !left.is_empty() {
            return Err(named("ConnectionError", left.join("; ")));
        }
        let deliveries = store.deliveries(notification.id).await.map_err(failure)?;
        for failed in deliveries
            .iter()
            .filter(|delivery| delivery.status == DeliveryStatus::Failed)
        {
            let reason = failed.last_error.clone().unwrap_or_default();
            run.item_failed(
                "channel",
                Some(failed.channel.as_str()),
                "delivery_failed",
                reason,
            );
        }
        let again = ctx.retries() > 0 || ctx.redelivered();
        Ok(Answer::Done(Told {
            notification_id: notification.id,
            deliveries,
            duplicate: !is_new && !again && self.dedupe_key.is_some(),
        }))
    }
}

impl SendNotification {
    /// The stored notification, and whether this run stored it.
    async fn store(
        &self,
        run: &Run<'_>,
        recipient: &Recipient,
    ) -> Result<(Notification, bool), Outcome> {
        let mut channels = match &self.channels {
            Some(channels) => channels.clone(),
            None => Preferences::of(recipient).channels(),
        };
        channels.sort_unstable();
        channels.dedup();
        let subject = self
            .subject
            .clone()
            .unwrap_or_else(|| first_line(&self.message));
        let nothing = json!({});
        let new = NewNotification {
            user_id: self.user_id,
            kind: &self.notification_type,
            subject: &subject,
            message: &self.message,
            data: self.data.as_ref().unwrap_or(&nothing),
            dedupe_key: self.dedupe_key.as_deref().unwrap_or(run.ctx().id()),
            channels: &channels,
        };
        let store = run.store().await?;
        store
            .add_notification(&new, Timestamp::now())
            .await
            .map_err(failure)
    }
}

fn first_line(message: &str) -> String {
    let line = message.trim().lines().next().unwrap_or_default();
    if line.chars().count() <= SUBJECT_CHARS {
        return line.to_owned();
    }
    let kept: String = line.chars().take(SUBJECT_CHARS - 1).collect();
    format!("{kept}…")
}

fn undelivered(error: notify::Error) -> Outcome {
    match error {
        notify::Error::Store(error) => failure(error),
        other => Outcome::from(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_the_first_line_and_not_too_long() {
        assert_eq!(first_line("\nshort\nrest"), "short");
        let long = first_line(&"ü".repeat(200));
        assert_eq!(long.chars().count(), SUBJECT_CHARS);
        assert!(long.ends_with('…'));
    }
}
