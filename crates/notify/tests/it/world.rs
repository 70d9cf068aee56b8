//! A database with one user, and a notification to it.

use std::time::Duration;

use jiff::Timestamp;
use notify::{Channels, EmailSettings, Outlook, Security, Settings};
use portfolio::store::{Channel, Delivery, NewNotification, NewUser, Store};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::MailServer;

pub struct World {
    pub store: Store,
    pub user_id: i64,
    _folder: TempDir,
}

impl World {
    pub async fn with_user(email: &str) -> World {
        let folder = TempDir::new().unwrap();
        let store = Store::create(folder.path().join("finance.db"))
            .await
            .unwrap();
        let user = NewUser {
            email,
            display_name: "Łucja 漢",
            base_currency: "USD".parse().unwrap(),
        };
        let user_id = store.put_user(&user, Timestamp::now()).await.unwrap();
        World {
            store,
            user_id,
            _folder: folder,
        }
    }

    pub async fn prefers(&self, preferences: Value) {
        let stored = self
            .store
            .set_notification_preferences(self.user_id, &preferences);
        stored.await.unwrap();
    }

    /// Stores the notification of this key unless it is there, tries its channels and returns the reasons for another try.
    pub async fn notify(
        &self,
        ways: &Channels,
        key: &str,
        channels: &[Channel],
        outlook: Outlook,
    ) -> Vec<String> {
        let new = NewNotification {
            user_id: self.user_id,
            kind: "alert",
            subject: "Drawdown of 12 %\r\nBcc: all@example.com",
            message: "Your portfolio Ελλάδα fell.\n.\nThis line follows a dot.",
            data: &json!({"portfolio_id": 7}),
            dedupe_key: key,
            channels,
        };
        let added = self.store.add_notification(&new, Timestamp::now()).await;
        let (notification, _) = added.unwrap();
        let recipient = self.store.recipient(self.user_id).await.unwrap();
        let delivered = ways.deliver(&self.store, &notification, &recipient, outlook);
        delivered.await.unwrap()
    }

    /// Of the notification that was stored first.
    pub async fn deliveries(&self) -> Vec<Delivery> {
        self.store.deliveries(1).await.unwrap()
    }
}

pub fn email_settings(server: &MailServer, security: Security) -> EmailSettings {
    let tls = security != Security::None;
    EmailSettings {
        host: "localhost".to_owned(),
        port: server.port(),
        security,
        login: tls.then(|| ("user".to_owned(), "secret".to_owned())),
        from: "Value Partner <noreply@valuepartner.app>".to_owned(),
        ca_file: tls.then(|| server.ca_file()),
        timeout: Duration::from_secs(30),
    }
}

pub fn mail_only(email: EmailSettings) -> Channels {
    Channels::new(&Settings {
        email: Some(email),
        ..Settings::default()
    })
    .unwrap()
}
