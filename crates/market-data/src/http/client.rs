//! One provider's HTTP client: limits, tries, circuit, bounds, conditions, and the key where it belongs.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response, StatusCode};
use tracing::debug;

use super::answer::{refused, validators};
use super::bucket::{Bucket, Permit};
use super::circuit::Circuit;
use super::patience::Patience;
use crate::error::{Error, Result};
use crate::model::{Fetched, Limits, Validators};
use crate::shape::{KeyPlace, Refusal};

/// What a client is made of.
pub(super) struct ClientParams {
    pub(super) provider: String,
    /// Without a slash at its end.
    pub(super) base_url: String,
    pub(super) key: Option<Key>,
    pub(super) connect_timeout: Duration,
    /// For a whole answer, so that one that drips is cut off.
    pub(super) timeout: Duration,
    pub(super) max_bytes: usize,
    pub(super) limits: Limits,
    /// The file in which the processes of this installation keep the limits together.
    pub(super) quota: Option<PathBuf>,
    pub(super) patience: Patience,
    /// Failures in a row, and the pause after them.
    pub(super) circuit: (u32, Duration),
}

/// A secret and where it travels. Its text appears in no error and no log.
pub(super) struct Key {
    pub(super) text: String,
    pub(super) place: KeyPlace,
}

/// Asks one provider.
pub(super) struct Client {
    http: reqwest::Client,
    provider: String,
    base_url: String,
    query_key: Option<(String, String)>,
    max_bytes: usize,
    limits: Limits,
    patience: Patience,
    bucket: Bucket,
    circuit: Circuit,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("provider", &self.provider)
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

impl Client {
    pub(super) fn new(params: ClientParams) -> Result<Client> {
        let setting = format!("http.{}", params.provider);
        let mut headers = HeaderMap::new();
        let mut query_key = None;
        match params.key {
            Some(Key {
                text,
                place: KeyPlace::Query(name),
            }) => query_key = Some((name, text)),
            Some(Key {
                text,
                place: KeyPlace::Header(name, prefix),
            }) => {
                let header = header(&name, &format!("{prefix}{text}"));
                let (name, value) = header.map_err(|problem| Error::settings(&setting, problem))?;
                headers.insert(name, value);
            }
            None => {}
        }
        // A redirection could carry the key to somebody else.
        let http = reqwest::Client::builder()
            .user_agent(concat!("celeriac/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .redirect(Policy::none())
            .connect_timeout(params.connect_timeout)
            .timeout(params.timeout)
            .build()
            .map_err(|error| Error::settings(&setting, error.to_string()))?;
        Ok(Client {
            http,
            provider: params.provider,
            base_url: params.base_url,
            query_key,
            max_bytes: params.max_bytes,
            limits: params.limits,
            patience: params.patience,
            bucket: Bucket::new(params.limits, params.quota),
            circuit: Circuit::new(params.circuit.0, params.circuit.1),
        })
    }

    pub(super) fn provider(&self) -> &str {
        &self.provider
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    pub(super) fn left_today(&self) -> Option<u32> {
        self.bucket.left_today(Timestamp::now())
    }

    /// Asks until there is an answer that `read` understands, or patience ends. `what` is named when it is not found.
    pub(super) async fn get<T>(
        &self,
        path: &str,
        what: &str,
        known: &Validators,
        read: impl Fn(&str) -> Result<T, Refusal>,
    ) -> Result<Fetched<T>> {
        let mut tried = 0;
        loop {
            self.closed()?;
            let error = match self.once(path, what, known, &read).await {
                Ok(fetched) => return Ok(fetched),
                Err(error) => error,
            };
            tried += 1;
            let open = self.circuit.open_for(Instant::now()).is_some();
            let pause = self.patience.pause(&error, tried).filter(|_| !open);
            let Some(pause) = pause else {
                return Err(error);
            };
            debug!(provider = %self.provider, %error, ?pause, "a request is tried again");
            tokio::time::sleep(pause).await;
        }
    }

    /// An error while the circuit is open.
    fn closed(&self) -> Result<()> {
        match self.circuit.open_for(Instant::now()) {
            None => Ok(()),
            Some(left) => Err(Error::Unavailable {
                provider: self.provider.clone(),
                problem: format!("it kept failing and is left alone for {} s", left.as_secs()),
                wait: Some(left),
            }),
        }
    }

    async fn once<T>(
        &self,
        path: &str,
        what: &str,
        known: &Validators,
        read: impl Fn(&str) -> Result<T, Refusal>,
    ) -> Result<Fetched<T>> {
        self.permit().await?;
        let answer = self.exchange(path, what, known).await;
        let failed = matches!(answer, Err(Error::Unavailable { .. }));
        self.circuit.note(failed, Instant::now());
        let Some((body, validators)) = answer? else {
            return Ok(Fetched::NotModified);
        };
        let value = read(&body).map_err(|refusal| self.refused(refusal, what))?;
        Ok(Fetched::New(value, validators))
    }

    async fn permit(&self) -> Result<()> {
        loop {
            match self.bucket.take(Timestamp::now()) {
                Permit::Now => return Ok(()),
                Permit::Later(pause) => tokio::time::sleep(pause).await,
                Permit::Tomorrow(wait) => {
                    return Err(Error::RateLimited {
                        provider: self.provider.clone(),
                        problem: "the day's requests are used up".to_owned(),
                        wait: Some(wait),
                    });
                }
            }
        }
    }

    /// One request and its whole body; none when it is not modified.
    async fn exchange(
        &self,
        path: &str,
        what: &str,
        known: &Validators,
    ) -> Result<Option<(String, Validators)>> {
        // The URL may hold the key.
        let lost = |error: reqwest::Error| {
            let error = error.without_url();
            Error::unavailable(&self.provider, chain(&error))
        };
        let response = self.request(path, known).send().await.map_err(lost)?;
        let (status, headers) = (response.status(), response.headers());
        if let Some(error) = refused(&self.provider, what, status, headers) {
            return Err(error);
        }
        if status == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        let validators = validators(headers);
        let body = self.body(response).await?;
        Ok(Some((body, validators)))
    }

    fn request(&self, path: &str, known: &Validators) -> RequestBuilder {
        let mut url = format!("{}{path}", self.base_url);
        if let Some((name, key)) = &self.query_key {
            let pair = url::form_urlencoded::Serializer::new(String::new())
                .append_pair(name, key)
                .finish();
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&pair);
        }
        let mut request = self.http.get(url);
        if let Some(etag) = &known.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(time) = &known.last_modified {
            request = request.header(IF_MODIFIED_SINCE, time);
        }
        request
    }

    async fn body(&self, mut response: Response) -> Result<String> {
        let mut body = Vec::new();
        loop {
            let chunk = response
                .chunk()
                .await
                .map_err(|error| Error::unavailable(&self.provider, chain(&error.without_url())))?;
            let Some(chunk) = chunk else { break };
            if body.len() + chunk.len() > self.max_bytes {
                let problem = format!("an answer of more than {} bytes", self.max_bytes);
                return Err(Error::bad_payload(&self.provider, problem));
            }
            body.extend_from_slice(&chunk);
        }
        String::from_utf8(body).map_err(|_| Error::bad_payload(&self.provider, "not UTF-8 text"))
    }

    fn refused(&self, refusal: Refusal, what: &str) -> Error {
        match refusal {
            Refusal::NotFound => Error::not_found(&self.provider, what),
            Refusal::Bad(problem) => Error::bad_payload(&self.provider, problem),
            Refusal::Quota(text, wait) => Error::RateLimited {
                provider: self.provider.clone(),
                problem: text.chars().take(120).collect(),
                wait: Some(wait),
            },
        }
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let name: HeaderName = name.parse().map_err(|_| format!("{name:?} is no header"))?;
    let mut value: HeaderValue = value.parse().map_err(|_| "the key fits no header")?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// An error with its causes; the last one says most.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
