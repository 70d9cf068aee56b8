//! Users' notifications, and how far each channel has got with them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Store;
use super::codec::Reader;
use super::sql::Row;
use crate::error::{Error, Result};

/// How a notification reaches its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The row itself, which the application shows.
    InApp,
    /// A mail to the user's address.
    Email,
    /// A signed POST to an address.
    Webhook,
    /// A POST to the gateway of mobile devices.
    Push,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Channel; 4] = [
        Channel::InApp,
        Channel::Email,
        Channel::Webhook,
        Channel::Push,
    ];

    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::InApp => "in_app",
            Channel::Email => "email",
            Channel::Webhook => "webhook",
            Channel::Push => "push",
        }
    }

    /// The channel of this name.
    pub fn parse(name: &str) -> Option<Channel> {
        Channel::ALL
            .into_iter()
            .find(|channel| channel.as_str() == name)
    }
}

/// How far a channel has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// Not yet, or tried and to be tried again.
    Pending,
    /// Taken over by the other side.
    Sent,
    /// Refused for good, or tried too often.
    Failed,
    /// Not set up for this user.
    Skipped,
}

impl DeliveryStatus {
    const ALL: [DeliveryStatus; 4] = [
        DeliveryStatus::Pending,
        DeliveryStatus::Sent,
        DeliveryStatus::Failed,
        DeliveryStatus::Skipped,
    ];

    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            DeliveryStatus::Pending => "pending",
            DeliveryStatus::Sent => "sent",
            DeliveryStatus::Failed => "failed",
            DeliveryStatus::Skipped => "skipped",
        }
    }
}

/// Who is told.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// The user.
    pub id: i64,
    /// The user's address.
    pub email: String,
    /// The user's name, or nothing.
    pub display_name: String,
    /// What the user wants: an object, see `notify`.
    pub preferences: Value,
}

/// A notification to be stored; user and key identify.
#[derive(Clone, Debug)]
pub struct NewNotification<'a> {
    /// Whom to tell.
    pub user_id: i64,
    /// `info`, `warning` or `alert`.
    pub kind: &'a str,
    /// One line.
    pub subject: &'a str,
    /// What to say.
    pub message: &'a str,
    /// An object for programs.
    pub data: &'a Value,
    /// What makes it the same notification when it comes again.
    pub dedupe_key: &'a str,
    /// How to tell.
    pub channels: &'a [Channel],
}

/// A stored notification.
#[derive(Clone, Debug)]
pub struct Notification {
    /// Its id.
    pub id: i64,
    /// Whom to tell.
    pub user_id: i64,
    /// `info`, `warning` or `alert`.
    pub kind: String,
    /// One line.
    pub subject: String,
    /// What to say.
    pub message: String,
    /// An object for programs.
    pub data: Value,
    /// What makes it the same when it comes again.
    pub dedupe_key: String,
    /// When it was stored.
    pub created_at: Timestamp,
}

/// One channel of a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Which.
    pub channel: Channel,
    /// How far it is.
    pub status: DeliveryStatus,
    /// How often it was tried.
    pub attempts: i64,
    /// Why the last try did not work, or why there was none.
    #[serde(rename = "error")]
    pub last_error: Option<String>,
}

impl Store {
    /// Whom a notification to this user reaches; an error when there is no such user.
    pub async fn recipient(&self, user_id: i64) -> Result<Recipient> {
        let select = "SELECT id, email, display_name, notification_prefs::text AS preferences FROM users WHERE id = ?1";
        let row = self.sql(select).bind(user_id).first().await?;
        let row = row.ok_or_else(|| Error::NotFound {
            what: "user",
            id: user_id.to_string(),
        })?;
        Ok(Recipient {
            id: user_id,
            email: row.get("email"),
            display_name: row.get("display_name"),
            preferences: reader("users", &row).required("preferences")?,
        })
    }

    /// Replaces what a user wants to be told and how.
    pub async fn set_notification_preferences(
        &self,
        user_id: i64,
        preferences: &Value,
    ) -> Result<()> {
        let update = "UPDATE users SET notification_prefs = ?2::jsonb WHERE id = ?1";
        let query = self.sql(update).bind(user_id).bind(preferences.to_string());
        query.execute().await?;
        Ok(())
    }

    /// Stores a notification with its channels in one step, unless the user has one with this key; in-app it is
    /// delivered by being there. Returns the stored one, and whether it is new.
    pub async fn add_notification(
        &self,
        new: &NewNotification<'_>,
        now: Timestamp,
    ) -> Result<(Notification, bool)> {
        let mut tx = self.begin().await?;
        let insert = "INSERT INTO notifications (user_id, type, subject, message, data, dedupe_key, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5::jsonb, ?6, ?7::timestamptz)
             ON CONFLICT (user_id, dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING";
        let query = self
            .sql(insert)
            .bind(new.user_id)
            .bind(new.kind)
            .bind(new.subject);
        let query = query.bind(new.message).bind(new.data.to_string());
        let query = query.bind(new.dedupe_key).bind(now);
        let is_new = query.execute_in(&mut tx).await? == 1;
        for channel in new.channels.iter().filter(|_| is_new) {
            let insert = "INSERT INTO notification_deliveries (notification_id, channel, status, attempts, sent_at)
                 SELECT id, ?3, ?4, ?5, ?6::timestamptz FROM notifications WHERE user_id = ?1 AND dedupe_key = ?2
                 ON CONFLICT DO NOTHING";
            let in_app = *channel == Channel::InApp;
            let status = if in_app {
                DeliveryStatus::Sent
            } else {
                DeliveryStatus::Pending
            };
            let query = self.sql(insert).bind(new.user_id).bind(new.dedupe_key);
            let query = query.bind(channel.as_str()).bind(status.as_str());
            let query = query.bind(i64::from(in_app)).bind(in_app.then_some(now));
            query.execute_in(&mut tx).await?;
        }
        self.commit(tx).await?;
        Ok((
            self.notification(new.user_id, new.dedupe_key).await?,
            is_new,
        ))
    }

    async fn notification(&self, user_id: i64, dedupe_key: &str) -> Result<Notification> {
        let select = "SELECT id, user_id, type, subject, message, data::text AS data, created_at::text AS created_at
             FROM notifications WHERE user_id = ?1 AND dedupe_key = ?2";
        let row = self.sql(select).bind(user_id).bind(dedupe_key);
        let row = row.first().await?.ok_or_else(|| Error::NotFound {
            what: "notification",
            id: dedupe_key.to_owned(),
        })?;
        let reader = reader("notifications", &row);
        Ok(Notification {
            id: row.get("id"),
            user_id,
            kind: row.get("type"),
            subject: row.get("subject"),
            message: row.get("message"),
            data: reader.required("data")?,
            dedupe_key: dedupe_key.to_owned(),
            created_at: reader.required("created_at")?,
        })
    }

    /// The channels of a notification, in the order of their names.
    pub async fn deliveries(&self, notification_id: i64) -> Result<Vec<Delivery>> {
        let select = "SELECT channel, status, attempts::bigint AS attempts, last_error FROM notification_deliveries
             WHERE notification_id = ?1 ORDER BY channel";
        let rows = self.sql(select).bind(notification_id).all().await?;
        rows.iter().map(delivery).collect()
    }

    /// Notes that a channel is being tried: before it is, so that a run that dies leaves a trace.
    pub async fn begin_delivery(&self, notification_id: i64, channel: Channel) -> Result<()> {
        let update = "UPDATE notification_deliveries SET attempts = attempts + 1 WHERE notification_id = ?1 AND channel = ?2";
        let query = self
            .sql(update)
            .bind(notification_id)
            .bind(channel.as_str());
        query.execute().await?;
        Ok(())
    }

    /// Notes what became of a channel. What was sent stays sent.
    pub async fn end_delivery(
        &self,
        notification_id: i64,
        channel: Channel,
        status: DeliveryStatus,
        error: Option<&str>,
        now: Timestamp,
    ) -> Result<()> {
        let update = "UPDATE notification_deliveries SET status = ?3, last_error = ?4, sent_at = ?5::timestamptz
             WHERE notification_id = ?1 AND channel = ?2 AND status <> 'sent'";
        let sent_at = (status == DeliveryStatus::Sent).then_some(now);
        let query = self.sql(update).bind(notification_id);
        let query = query.bind(channel.as_str()).bind(status.as_str());
        query
            .bind(error.map(str::to_owned))
            .bind(sent_at)
            .execute()
            .await?;
        Ok(())
    }
}

fn reader<'r>(table: &'static str, row: &'r Row) -> Reader<'r> {
    let id: i64 = row.get("id");
    Reader {
        table,
        id: id.to_string(),
        row,
    }
}

fn delivery(row: &Row) -> Result<Delivery> {
    let broken = |column, value: String| Error::StoredValue {
        table: "notification_deliveries",
        row: "of a notification".to_owned(),
        column,
        value,
    };
    let (channel, status): (String, String) = (row.get("channel"), row.get("status"));
    let known = DeliveryStatus::ALL
        .into_iter()
        .find(|known| known.as_str() == status);
    Ok(Delivery {
        channel: Channel::parse(&channel).ok_or_else(|| broken("channel", channel))?,
        status: known.ok_or_else(|| broken("status", status))?,
        attempts: row.get("attempts"),
        last_error: row.get("last_error"),
    })
}
