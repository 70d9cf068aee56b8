//! The settings of one HTTP provider: a preset, and what the installation says instead.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::client::{Client, ClientParams, Key};
use super::flights::Flights;
use super::patience::Patience;
use super::{HttpProvider, Templates};
use crate::error::{Error, Result};
use crate::model::Limits;
use crate::shape::{Fields, KeyPlace, Preset, preset};

/// The folder in the data folder where the limits are kept.
const QUOTAS: &str = "quotas";

/// A table of `celeriac_market_data_http`. It may hold a key and has no `Debug` form.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HttpSettings {
    /// A preset's name; the provider's own name unless given.
    shape: Option<String>,
    base_url: Option<String>,
    daily: Option<String>,
    quote: Option<String>,
    info: Option<String>,
    rates: Option<String>,
    fields: Option<Fields>,
    api_key: Option<String>,
    /// The environment variable that holds the key.
    api_key_env: Option<String>,
    key_query: Option<String>,
    key_header: Option<String>,
    key_prefix: Option<String>,
    requests_per_second: Option<f64>,
    requests_per_day: Option<u32>,
    /// Seconds.
    connect_timeout: Option<f64>,
    /// Seconds for a whole answer.
    timeout: Option<f64>,
    tries: Option<u32>,
    /// Seconds before the second try; doubled before each further one.
    retry_pause: Option<f64>,
    /// Failures in a row after which the provider is left alone.
    circuit_failures: Option<u32>,
    /// Seconds for which it is.
    circuit_pause: Option<f64>,
    max_bytes: Option<usize>,
}

impl HttpSettings {
    /// The provider of this name.
    pub(crate) fn provider(self, name: &str, data_folder: &Path) -> Result<HttpProvider> {
        let wrong = |problem: String| Error::settings(format!("http.{name}"), problem);
        let shape = self.shape.as_deref().unwrap_or(name);
        let preset = preset(shape).ok_or_else(|| {
            wrong(format!(
                "shape {shape:?} is unknown: use alphavantage, tiingo, yahoo, stooq, fx_json or json"
            ))
        })?;
        let mut params = self.client(name, &preset).map_err(wrong)?;
        params.quota = Some(
            data_folder
                .join(QUOTAS)
                .join(format!("{}.json", name.replace('/', "-"))),
        );
        let or = |own: Option<String>, preset: Option<&str>| own.or(preset.map(str::to_owned));
        let templates = Templates {
            daily: or(self.daily, preset.daily),
            quote: or(self.quote, preset.quote),
            info: or(self.info, preset.info),
            rates: or(self.rates, preset.rates),
        };
        let mut shape = preset.shape;
        if let Some(mut fields) = self.fields {
            fields.quota_wait = fields.quota_wait.max(1);
            shape.fields = fields;
        }
        Ok(HttpProvider {
            shape,
            templates,
            client: Client::new(params)?,
            daily: Flights::default(),
            quotes: Flights::default(),
            info: Flights::default(),
            rates: Flights::default(),
        })
    }

    fn client(&self, name: &str, preset: &Preset) -> Result<ClientParams, String> {
        let base_url = self.base_url.clone().unwrap_or(preset.base_url.to_owned());
        if !base_url.starts_with("http://") && !base_url.starts_with("https://") {
            return Err("base_url must begin with https:// or http://".to_owned());
        }
        let timeout = seconds("timeout", self.timeout, 20.0)?;
        Ok(ClientParams {
            provider: name.to_owned(),
            base_url: base_url.trim_end_matches('/').to_owned(),
            key: self.key(preset)?,
            connect_timeout: seconds("connect_timeout", self.connect_timeout, 5.0)?,
            max_bytes: self.max_bytes.unwrap_or(64 << 20),
            limits: Limits {
                per_second: self.requests_per_second.or(preset.per_second),
                per_day: self.requests_per_day.or(preset.per_day),
                timeout: Some(timeout),
            },
            timeout,
            quota: None,
            patience: Patience {
                tries: self.tries.unwrap_or(4).max(1),
                pause: seconds("retry_pause", self.retry_pause, 0.5)?,
            },
            circuit: (
                self.circuit_failures.unwrap_or(5).max(1),
                seconds("circuit_pause", self.circuit_pause, 60.0)?,
            ),
        })
    }

    /// The key and its place, when there is one.
    fn key(&self, preset: &Preset) -> Result<Option<Key>, String> {
        let place = match (&self.key_query, &self.key_header) {
            (Some(name), _) => Some(KeyPlace::Query(name.clone())),
            (None, Some(name)) => Some(KeyPlace::Header(
                name.clone(),
                self.key_prefix.clone().unwrap_or_default(),
            )),
            (None, None) => preset.key.clone(),
        };
        let text = match (&self.api_key, &self.api_key_env) {
            (Some(key), _) => Some(key.clone()),
            (None, Some(variable)) => Some(
                std::env::var(variable)
                    .map_err(|_| format!("api_key_env: variable {variable} is not set"))?,
            ),
            (None, None) => None,
        };
        match (text, place) {
            (Some(text), Some(place)) => Ok(Some(Key { text, place })),
            (Some(_), None) => Err("a key needs key_query or key_header".to_owned()),
            (None, _) => Ok(None),
        }
    }
}

fn seconds(name: &str, given: Option<f64>, default: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(given.unwrap_or(default))
        .ok()
        .filter(|time| !time.is_zero())
        .ok_or_else(|| format!("{name} must be a number of seconds above 0"))
}
