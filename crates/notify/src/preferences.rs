//! What a user wants, as the user's row has it.

use portfolio::store::{Channel, Recipient};
use serde::Deserialize;

use crate::settings::WebhookSettings;

/// The object in `users.notification_prefs`; everything may be absent:
/// `{"channels": ["in_app", "email"], "webhook": {"url": …, "secret": …}, "push": {"token": …}}`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Preferences {
    /// How to tell when the caller does not say; in-app only unless set.
    pub channels: Option<Vec<Channel>>,
    webhook: Option<OwnWebhook>,
    push: Option<Device>,
}

#[derive(Clone, Debug, Deserialize)]
struct OwnWebhook {
    url: String,
    secret: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Device {
    token: String,
}

impl Preferences {
    /// Those of a user; what cannot be read counts as absent, so that a notification is never lost to it.
    pub fn of(recipient: &Recipient) -> Preferences {
        match Preferences::deserialize(&recipient.preferences) {
            Ok(preferences) => preferences,
            Err(error) => {
                let user = recipient.id;
                tracing::warn!(user, %error, "notification_prefs cannot be read");
                Preferences::default()
            }
        }
    }

    /// How to tell when the caller does not say.
    pub fn channels(&self) -> Vec<Channel> {
        self.channels
            .clone()
            .unwrap_or_else(|| vec![Channel::InApp])
    }

    pub(crate) fn webhook(&self) -> Option<WebhookSettings> {
        let own = self.webhook.as_ref()?;
        Some(WebhookSettings {
            url: own.url.clone(),
            secret: own.secret.clone(),
        })
    }

    pub(crate) fn device(&self) -> Option<&str> {
        self.push.as_ref().map(|device| device.token.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn preferences(value: Value) -> Preferences {
        Preferences::of(&Recipient {
            id: 1,
            email: "a@b.c".to_owned(),
            display_name: String::new(),
            preferences: value,
        })
    }

    #[test]
    fn everything_may_be_absent_or_unreadable() {
        for value in [
            json!({}),
            json!([]),
            json!({"channels": "email"}),
            json!({"channels": ["pigeon"]}),
        ] {
            assert_eq!(preferences(value).channels(), [Channel::InApp]);
        }
    }

    #[test]
    fn what_is_said_holds() {
        let value =
            json!({"channels": ["email"], "push": {"token": "t", "os": "any"}, "theme": "dark"});
        let read = preferences(value);
        assert_eq!(read.channels(), [Channel::Email]);
        assert_eq!(read.device(), Some("t"));
        assert!(read.webhook().is_none());
    }
}
