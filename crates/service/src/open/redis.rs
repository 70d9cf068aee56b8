//! Redis.

use std::sync::Arc;

use broker::{Backends, BrokerError, ErrorKind, ResultBackend};
use broker_redis::{RedBeatEntry, RedisBroker, RedisOptions, RedisResults};
use protocol::Map;

use crate::Settings;

/// Opens the server; with `fused`, results go to the same database in the same step as a settlement.
pub(super) async fn open(
    settings: &Settings,
    url: &str,
    fused: bool,
    lazily: bool,
) -> Result<Backends, BrokerError> {
    let own = lazy(options(settings, url, "broker_transport_options")?, lazily);
    if !fused {
        return Ok(backends(RedisBroker::connect(own).await?, None));
    }
    let url = settings.text("result_backend").unwrap_or(url);
    let theirs = options(settings, url, "result_backend_transport_options")?;
    let theirs = lazy(theirs, lazily);
    let policy = settings.result_policy();
    let broker = RedisBroker::connect_with_results(own, &theirs, policy.clone()).await?;
    let results = RedisResults::connect(theirs, policy).await?;
    Ok(backends(broker, Some(results)))
}

fn backends(broker: Arc<RedisBroker>, results: Option<Arc<RedisResults>>) -> Backends {
    Backends {
        admin: broker.clone(),
        coordinator: broker.clone(),
        broker,
        results: results.map(|results| results as Arc<dyn ResultBackend>),
    }
}

/// Opens a server for results alone.
pub(super) async fn open_results(
    settings: &Settings,
    url: &str,
    lazily: bool,
) -> Result<Arc<dyn ResultBackend>, BrokerError> {
    let options = options(settings, url, "result_backend_transport_options")?;
    let options = lazy(options, lazily);
    Ok(RedisResults::connect(options, settings.result_policy()).await?)
}

/// The entries that celery-redbeat keeps on a server.
pub(crate) async fn read_redbeat(
    settings: &Settings,
    url: &str,
    prefix: &str,
) -> Result<Vec<RedBeatEntry>, BrokerError> {
    let options = options(settings, url, "broker_transport_options")?;
    broker_redis::read_redbeat(&options, prefix).await
}

/// Whether both URLs name the same database of the same server.
pub(super) fn same_server(one: &str, other: &str) -> bool {
    let parse = |url| RedisOptions::parse(url, &serde_json::Map::new());
    matches!((parse(one), parse(other)), (Ok(one), Ok(other)) if one.same_server(&other))
}

fn options(settings: &Settings, url: &str, transport: &str) -> Result<RedisOptions, BrokerError> {
    let mut options = RedisOptions::parse(url, &json(&settings.map(transport))?)?;
    options.limits = settings.limits();
    if let Some(timeout) = settings.seconds("broker_connection_timeout") {
        options.connect_timeout = timeout;
    }
    Ok(options)
}

fn lazy(options: RedisOptions, connect_lazily: bool) -> RedisOptions {
    RedisOptions {
        connect_lazily,
        ..options
    }
}

/// Transport options as the JSON that they were written as.
fn json(map: &Map) -> Result<serde_json::Map<String, serde_json::Value>, BrokerError> {
    match serde_json::to_value(map) {
        Ok(serde_json::Value::Object(options)) => Ok(options),
        Ok(_) => Ok(serde_json::Map::new()),
        Err(error) => Err(BrokerError::with_source(
            ErrorKind::Invalid,
            "the transport options cannot be read",
            error,
        )),
    }
}
