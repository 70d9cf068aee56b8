//! The ways to tell people, as this installation's settings have them.

use std::path::PathBuf;
use std::time::Duration;

use notify::{Channels, EmailSettings, PushSettings, Security, Settings, WebhookSettings};
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
    /// What [`Channels::new`] refuses.
    pub fn from_settings(settings: &service::Settings) -> Result<Self, notify::Error> {
        let text = |name: &str| settings.text(name).map(str::to_owned);
        let webhook = text("celeriac_webhook_url").zip(text("celeriac_webhook_secret"));
        let push = text("celeriac_push_url").map(|url| PushSettings {
            url,
            token: text("celeriac_push_token"),
        });
        let channels = Settings {
            email: email(settings),
            webhook: webhook.map(|(url, secret)| WebhookSettings { url, secret }),
            push,
        };
        Self::new(&channels, text("admin_email"))
    }

    pub(crate) fn channels(&self) -> &Channels {
        &self.channels
    }

    pub(crate) fn admin(&self) -> Option<&str> {
        self.admin.as_deref()
    }
}

fn email(settings: &service::Settings) -> Option<EmailSettings> {
    let text = |name: &str| settings.text(name).map(str::to_owned);
    let on = |name: &str| settings.bool(name).unwrap_or(false);
    let security = match (on("email_use_ssl"), on("email_use_tls")) {
        (true, _) => Security::Tls,
        (false, true) => Security::StartTls,
        (false, false) => Security::None,
    };
    let port = settings
        .int("email_port")
        .and_then(|port| u16::try_from(port).ok());
    Some(EmailSettings {
        host: text("email_host")?,
        port: port.unwrap_or_default(),
        security,
        login: text("email_host_user").zip(text("email_host_password")),
        from: text("server_email").unwrap_or_default(),
        ca_file: text("celeriac_email_ca_file").map(PathBuf::from),
        timeout: settings.seconds("email_timeout").unwrap_or(PATIENCE),
    })
}

/// The ways to tell people of the worker that runs this task.
///
/// # Errors
/// When the worker was built without them.
pub(crate) fn notifier(ctx: &Context) -> Result<&Notifier, Outcome> {
    ctx.state::<Notifier>()
        .ok_or_else(|| Outcome::fail("RuntimeError", "this worker was built without a notifier"))
}
