//! What a producer opens: the broker, and before it an outbox where the settings name one.

use std::sync::Arc;
use std::time::Duration;

use broker::{Backends, BrokerError};
use outbox::{Outbox, OutboxBroker};

use super::{install_tls_provider, is_unreachable, open_once, open_url};
use crate::{Error, Settings};

/// What a producer sends with.
#[derive(Clone, Debug)]
pub struct Producer {
    /// The backends; publications go into the outbox when the broker does not take them.
    pub backends: Backends,
    /// The outbox; `None` without `celeriac_outbox_path`.
    pub outbox: Option<Arc<OutboxBroker>>,
}

impl Producer {
    /// Waits until nothing is left to be sent; `false` when something still is after this time.
    pub async fn flush(&self, patience: Duration) -> bool {
        match &self.outbox {
            Some(outbox) => outbox.flush(patience).await,
            None => true,
        }
    }
}

/// Opens broker, result backend and outbox for a program that sends. With an outbox, a broker that cannot be reached is no error: what is
/// sent waits in the file.
///
/// # Errors
/// As [`open_once`](super::open_once), and when the outbox cannot be used.
pub async fn open_producer(settings: &Settings) -> Result<Producer, Error> {
    let Some(outbox) = open_outbox(settings).await? else {
        let backends = open_once(settings).await?;
        return Ok(Producer {
            backends,
            outbox: None,
        });
    };
    let mut backends = match open_once(settings).await {
        Err(error) if is_unreachable(&error) => open_lazily(settings).await?,
        opened => opened?,
    };
    let outbox = OutboxBroker::start(backends.broker, outbox);
    backends.broker = Arc::clone(&outbox) as _;
    Ok(Producer {
        backends,
        outbox: Some(outbox),
    })
}

/// The outbox that the settings name, if they name one.
///
/// # Errors
/// When it cannot be used.
pub async fn open_outbox(settings: &Settings) -> Result<Option<Arc<Outbox>>, Error> {
    let Some(options) = settings.outbox_options() else {
        return Ok(None);
    };
    let opened = Outbox::open(options).await.map_err(BrokerError::from);
    opened.map(Some).map_err(Error::Broker)
}

async fn open_lazily(settings: &Settings) -> Result<Backends, Error> {
    install_tls_provider();
    let url = settings.broker_urls().into_iter().next();
    let url = url.expect("there is at least one broker URL: the settings were checked");
    open_url(settings, &url, true).await
}
