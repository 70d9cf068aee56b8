//! The ways out, opened once for a process.

use jiff::Timestamp;
use portfolio::store::{Channel, Notification, Recipient};

use crate::attempt::Attempt;
use crate::email::{Mail, Mailer};
use crate::error::Result;
use crate::http::Client;
use crate::message::identity;
use crate::preferences::Preferences;
use crate::settings::{PushSettings, Settings, WebhookSettings};
use crate::{push, webhook};

/// Every way out of this installation.
#[derive(Debug)]
pub struct Channels {
    mailer: Option<Mailer>,
    webhook: Option<WebhookSettings>,
    push: Option<PushSettings>,
    http: Client,
    /// For users' own addresses.
    users: Client,
}

impl Channels {
    /// Sets up what the settings name; nothing is connected yet.
    ///
    /// # Errors
    /// A sender that is no address, certificates that cannot be read, TLS that cannot be set up.
    pub fn new(settings: &Settings) -> Result<Channels> {
        let http = Client::new()?;
        Ok(Channels {
            mailer: settings.email.as_ref().map(Mailer::new).transpose()?,
            webhook: settings.webhook.clone(),
            push: settings.push.clone(),
            users: if settings.allow_internal {
                http.clone()
            } else {
                Client::outside()?
            },
            http,
        })
    }

    /// Sends one mail to anybody.
    pub async fn mail(&self, mail: &Mail<'_>) -> Attempt {
        match &self.mailer {
            Some(mailer) => mailer.send(mail).await,
            None => Attempt::Skipped("no mail server is set up"),
        }
    }

    /// Tries one channel once.
    pub(crate) async fn attempt(
        &self,
        channel: Channel,
        notification: &Notification,
        recipient: &Recipient,
        now: Timestamp,
    ) -> Attempt {
        let preferences = Preferences::of(recipient);
        match channel {
            Channel::InApp => Attempt::Sent,
            Channel::Email => self.email(notification, recipient).await,
            Channel::Webhook => match (preferences.webhook(), &self.webhook) {
                (Some(own), _) => webhook::send(&self.users, &own, notification, now).await,
                (None, Some(ours)) => webhook::send(&self.http, ours, notification, now).await,
                (None, None) => Attempt::Skipped("no webhook is set up"),
            },
            Channel::Push => match (&self.push, preferences.device()) {
                (Some(settings), Some(device)) => {
                    push::send(&self.http, settings, device, notification).await
                }
                (None, _) => Attempt::Skipped("no push gateway is set up"),
                (_, None) => Attempt::Skipped("the user has no device"),
            },
        }
    }

    async fn email(&self, notification: &Notification, recipient: &Recipient) -> Attempt {
        let identity = identity(notification);
        let mail = Mail {
            identity: &identity,
            to: &recipient.email,
            to_name: &recipient.display_name,
            subject: &notification.subject,
            text: &notification.message,
            written: notification.created_at,
        };
        self.mail(&mail).await
    }
}
