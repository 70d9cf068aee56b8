//! What a command works with: settings, and what it opens with them.

use std::time::Duration;

use broker::Backends;
use client::Client;
use service::settings::Sources;
use service::{Producer, Settings};

use crate::error::Error;
use crate::services::Environment;

/// The settings in force and how to print.
#[derive(Debug)]
pub(crate) struct Context {
    /// The settings.
    pub(crate) settings: Settings,
    /// Whether to print JSON.
    pub(crate) json: bool,
    /// Whether to leave out what was not asked for.
    pub(crate) quiet: bool,
    /// Whether to use no colours.
    pub(crate) no_color: bool,
    /// Where the settings were read from.
    pub(crate) sources: Sources,
}

impl Context {
    /// Opens broker and result backend, trying once; says so when it makes the embedded broker's file, because its
    /// user may be in the wrong folder.
    pub(crate) async fn backends(&self) -> Result<Backends, Error> {
        let new_file = service::missing_broker_file(&self.settings);
        let backends = service::open_once(&self.settings).await?;
        if let Some(path) = new_file.filter(|_| !self.quiet) {
            let path = path.display();
            eprintln!("note: {path} was not there; this is a new, empty broker (-b names another)");
        }
        Ok(backends)
    }

    /// A client on new connections.
    pub(crate) async fn client(&self) -> Result<Client, Error> {
        Ok(self.client_on(self.backends().await?)?)
    }

    /// What sends: with an outbox where the settings name one.
    pub(crate) async fn producer(&self) -> Result<Producer, Error> {
        Ok(match self.settings.outbox_options() {
            Some(_) => service::open_producer(&self.settings).await?,
            None => Producer {
                backends: self.backends().await?,
                outbox: None,
            },
        })
    }

    /// The finance database, where the workers look for it.
    pub(crate) fn finance_url(&self) -> String {
        self.settings.finance_url()
    }

    /// What the command line sets, as variables for other programs: passwords in URLs must not show in a list of
    /// processes.
    pub(crate) fn environment(&self) -> Environment {
        let config = self.sources.config.as_ref();
        let config = config.map(|path| ("CELERIAC_CONFIG".to_owned(), path.display().to_string()));
        let options = self.sources.overrides.iter();
        let options = options.map(|(name, _, value)| (variable(name), value.clone()));
        config.into_iter().chain(options).collect()
    }

    /// A client on these connections.
    pub(crate) fn client_on(&self, backends: Backends) -> Result<Client, service::Error> {
        Ok(Client::new(backends, self.settings.client_options()?))
    }
}

/// The variable that sets a setting.
fn variable(setting: &str) -> String {
    let name = setting.to_uppercase();
    if setting.starts_with("celeriac_") {
        name
    } else {
        format!("CELERY_{name}")
    }
}

/// Reads seconds from the command line.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| "must be a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(number)
        .map_err(|_| "must be a number of seconds of at least 0".to_owned())
}
