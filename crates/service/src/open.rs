//! Opening what the settings name: broker and result backend by the scheme of their URLs.
//!
//! When both are on the same server, results are stored in the same atomic step as the settlement; else
//! [`SplitResults`] joins the two.

mod producer;
mod redis;
pub(crate) mod retry;
mod sqlite;
mod target;

use std::path::PathBuf;
use std::sync::{Arc, Once};

use broker::{
    Backends, BrokerError, ClaimChecks, ErrorKind, MemoryBroker, ResultBackend, SplitResults,
};
use broker_redis::RedBeatEntry;

pub use producer::{Producer, open_outbox, open_producer};

use crate::settings::mask_urls;
use crate::{Error, Settings};
use target::{Results, Scheme};

/// Opens broker and result backend, trying again while the broker cannot be reached, as
/// `broker_connection_retry_on_startup` and `broker_connection_max_retries` say.
///
/// # Errors
/// When a URL is wrong, the server refuses, or all tries have failed.
pub async fn open(settings: &Settings) -> Result<Backends, Error> {
    retry::until_open(settings, || open_once(settings)).await
}

/// Opens broker and result backend with one try for each URL of the broker.
///
/// # Errors
/// The last URL's error; one that trying again cannot mend ends the search at once.
pub async fn open_once(settings: &Settings) -> Result<Backends, Error> {
    install_tls_provider();
    let mut last = None;
    for url in settings.broker_urls() {
        match open_url(settings, &url, false).await {
            Err(error) if is_unreachable(&error) => last = Some(error),
            outcome => return outcome,
        }
    }
    Err(last.expect("there is at least one broker URL: the settings were checked"))
}

/// The entries that celery-redbeat keeps on a Redis server under a prefix of its keys.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub async fn read_redbeat(
    settings: &Settings,
    url: &str,
    prefix: &str,
) -> Result<Vec<RedBeatEntry>, Error> {
    install_tls_provider();
    let read = redis::read_redbeat(settings, url, prefix).await;
    read.map_err(|source| Error::Open {
        url: mask_urls(url),
        source,
    })
}

/// The embedded broker's file, when it is not there yet and opening would create it.
pub fn missing_broker_file(settings: &Settings) -> Option<PathBuf> {
    let urls = settings.broker_urls();
    urls.first().and_then(|url| sqlite::missing_file(url))
}

/// Two TLS providers are compiled in by dependencies, or none: rustls must be told which to use before its first use.
pub(crate) fn install_tls_provider() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // An error means that the program around us has installed one, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    });
}

/// Opens one URL's broker and its results. With `lazily`, a server is not asked whether it is there.
async fn open_url(settings: &Settings, url: &str, lazily: bool) -> Result<Backends, Error> {
    let failed = |source| Error::Open {
        url: mask_urls(url),
        source,
    };
    let scheme = Scheme::of(url).map_err(failed)?;
    let results = Results::of(settings, url, scheme)?;
    let fused = matches!(results, Results::WithBroker);
    let backends = match scheme {
        Scheme::Redis => redis::open(settings, url, fused, lazily).await,
        Scheme::Sqlite => sqlite::open(settings, url, fused).await,
        Scheme::Memory => Ok(MemoryBroker::with_policy(settings.result_policy()).backends()),
    };
    let backends = backends.map_err(failed)?;
    let backends = match results {
        Results::Nowhere => Backends {
            results: None,
            ..backends
        },
        Results::WithBroker => backends,
        Results::Elsewhere { url, scheme } => {
            let opened = open_results(settings, &url, scheme, lazily).await;
            let results = opened.map_err(|source| Error::Open {
                url: mask_urls(&url),
                source,
            })?;
            split(backends, results)
        }
    };
    with_claim_checks(settings, backends)
}

/// Large bodies go into the result backend, if the settings say how large.
fn with_claim_checks(settings: &Settings, backends: Backends) -> Result<Backends, Error> {
    const NAME: &str = "celeriac_claim_check_threshold";
    let Some(threshold) = settings.size(NAME) else {
        return Ok(backends);
    };
    let results = backends.results.clone().ok_or_else(|| {
        let rule = "unset without a result_backend, which keeps the payloads";
        settings.refuse(NAME, rule)
    })?;
    let lifetime = settings.result_policy().expires;
    let broker = ClaimChecks::new(backends.broker, results, threshold, lifetime);
    Ok(Backends {
        broker: Arc::new(broker),
        ..backends
    })
}

async fn open_results(
    settings: &Settings,
    url: &str,
    scheme: Scheme,
    lazily: bool,
) -> Result<Arc<dyn ResultBackend>, BrokerError> {
    match scheme {
        Scheme::Redis => redis::open_results(settings, url, lazily).await,
        Scheme::Sqlite => sqlite::open_results(settings, url).await,
        Scheme::Memory => Err(BrokerError::new(
            ErrorKind::Invalid,
            "results in memory need the memory broker; use sqlite: or redis://",
        )),
    }
}

fn split(backends: Backends, results: Arc<dyn ResultBackend>) -> Backends {
    let broker = Arc::new(SplitResults::new(backends.broker.clone(), results.clone()));
    Backends {
        broker,
        results: Some(results),
        ..backends
    }
}

fn is_unreachable(error: &Error) -> bool {
    matches!(error, Error::Open { source, .. } if source.is_transient())
}
