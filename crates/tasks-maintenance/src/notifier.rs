//! The ways to tell people, as this installation's settings have them.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use notify::{Channels, EmailSettings, PushSettings, Security, Settings, WebhookSettings};
use serde::Deserialize;
use serde_json::Value;
use worker::{Context, Outcome};

/// How long a mail may take unless `email_timeout` says so.
const PATIENCE: Duration = Duration::from_secs(20);

/// One per worker process; tasks reach it through `notifier`.
#[derive(Debug)]
pub struct Notifier {
    channels: Channels,
    admin: Option<String>,
}

impl Notifier {
    /// With these channels; `admin` is told when the system is unhealthy.
    ///
    /// # Errors
    /// What [`Channels::new`] refuses.
    pub fn new(settings: &Settings, admin: Option<String>) -> Result<Self, notify::Error> {
        Ok(Self {
            channels: Channels::new(settings)?,
            admin,
        })
    }

    /// As the settings `email_…`, `server_email`, `admin_email`, `celeriac_webhook_…` and `celeriac_push_…` say.
    ///
    /// # Errors
    /// A value of the wrong kind, and what [`Channels::new`] refuses.
    pub fn from_settings(values: &Value) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let values = Values::deserialize(values)?;
        let admin = values.admin_email.clone();
        Ok(Self::new(&values.channels(), admin)?)
    }

    pub(crate) fn channels(&self) -> &Channels {
        &self.channels
    }

    pub(crate) fn admin(&self) -> Option<&str> {
        self.admin.as_deref()
    }
}

/// The settings that are asked for, by their names.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Values {
    email_host: Option<String>,
    email_port: u16,
    email_host_user: Option<String>,
    email_host_password: Option<String>,
    email_use_tls: bool,
    email_use_ssl: bool,
    email_timeout: Option<f64>,
    server_email: String,
    admin_email: Option<String>,
    celeriac_email_ca_file: Option<PathBuf>,
    celeriac_webhook_url: Option<String>,
    celeriac_webhook_secret: Option<String>,
    celeriac_webhook_allow_internal: bool,
    celeriac_push_url: Option<String>,
    celeriac_push_token: Option<String>,
}

impl Values {
    fn channels(self) -> Settings {
        let webhook = self
            .celeriac_webhook_url
            .clone()
            .zip(self.celeriac_webhook_secret.clone());
        let push = self.celeriac_push_url.clone().map(|url| PushSettings {
            url,
            token: self.celeriac_push_token.clone(),
        });
        Settings {
            webhook: webhook.map(|(url, secret)| WebhookSettings { url, secret }),
            push,
            allow_internal: self.celeriac_webhook_allow_internal,
            email: self.email(),
        }
    }

    fn email(self) -> Option<EmailSettings> {
        let security = match (self.email_use_ssl, self.email_use_tls) {
            (true, _) => Security::Tls,
            (false, true) => Security::StartTls,
            (false, false) => Security::None,
        };
        let timeout = self
            .email_timeout
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Some(EmailSettings {
            host: self.email_host?,
            port: self.email_port,
            security,
            login: self.email_host_user.zip(self.email_host_password),
            from: self.server_email,
            ca_file: self.celeriac_email_ca_file,
            timeout: timeout.unwrap_or(PATIENCE),
        })
    }
}

/// The ways to tell people of the worker that runs this task.
///
/// # Errors
/// When the worker was built without them.
pub(crate) fn notifier(ctx: &Context) -> Result<&Notifier, Outcome> {
    ctx.state::<Notifier>()
        .ok_or_else(|| Outcome::fail("RuntimeError", "this worker was built without a notifier"))
}
