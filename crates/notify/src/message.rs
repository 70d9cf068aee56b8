//! What a notification says, whichever way it goes out.

use portfolio::store::Notification;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The body of webhooks, and what programs get with a push.
#[derive(Debug, Serialize)]
pub(crate) struct Body<'n> {
    id: i64,
    user_id: i64,
    #[serde(rename = "type")]
    kind: &'n str,
    subject: &'n str,
    message: &'n str,
    data: &'n Value,
    created_at: String,
}

impl<'n> Body<'n> {
    pub(crate) fn of(notification: &'n Notification) -> Body<'n> {
        Body {
            id: notification.id,
            user_id: notification.user_id,
            kind: &notification.kind,
            subject: &notification.subject,
            message: &notification.message,
            data: &notification.data,
            created_at: notification.created_at.to_string(),
        }
    }
}

/// The same at every try, and nobody else's: what the other side can tell repetitions by.
pub(crate) fn identity(notification: &Notification) -> String {
    let Notification {
        id,
        user_id,
        dedupe_key,
        created_at,
        ..
    } = notification;
    let hash = Sha256::digest(format!("{user_id}\n{created_at}\n{dedupe_key}"));
    format!("notification-{id}-{}", hex::encode(&hash[..12]))
}
