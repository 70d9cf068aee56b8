//! Providers over HTTP: any shape at any address. What is asked and read is the shape's affair, how often and how long the
//! client's.

mod answer;
mod bucket;
mod circuit;
mod client;
mod flights;
mod patience;
mod settings;

use async_trait::async_trait;

use crate::error::{Error, Result};
use crate::model::{Daily, Fetched, Info, Limits, Quote, Rates, RatesRequest, Validators, Window};
use crate::provider::{Provider, is_symbol};
use crate::shape::{Blanks, Refusal, Shape, fill};
use client::Client;
use flights::Flights;

pub(crate) use settings::HttpSettings;

/// A provider that is asked over HTTP.
#[derive(Debug)]
pub(crate) struct HttpProvider {
    shape: Shape,
    templates: Templates,
    client: Client,
    daily: Flights<Fetched<Daily>>,
    quotes: Flights<Quote>,
    info: Flights<Info>,
    rates: Flights<Fetched<Rates>>,
}

/// Where each kind of data is; none where the provider does not have it.
#[derive(Clone, Debug, Default)]
struct Templates {
    daily: Option<String>,
    quote: Option<String>,
    info: Option<String>,
    rates: Option<String>,
}

impl HttpProvider {
    fn path(
        &self,
        template: Option<&String>,
        what: &'static str,
        blanks: &Blanks,
    ) -> Result<String> {
        let template = template.ok_or_else(|| Error::unsupported(self.name(), what))?;
        Ok(fill(template, blanks))
    }

    fn of_symbol(&self, symbol: &str, window: Option<Window>) -> Result<Blanks> {
        if !is_symbol(symbol) {
            return Err(Error::not_found(self.name(), symbol));
        }
        Ok(Blanks {
            symbol: symbol.to_owned(),
            window,
            ..Blanks::default()
        })
    }

    /// Asks, reads, and shares the answer with whoever asks the same meanwhile; without validators it is always new.
    async fn fresh<T: Clone>(
        &self,
        flights: &Flights<T>,
        path: String,
        what: &str,
        read: impl Fn(&str) -> Result<T, Refusal>,
    ) -> Result<T> {
        let known = Validators::default();
        let answer = flights.share(&path, async || {
            match self.client.get(&path, what, &known, &read).await? {
                Fetched::New(value, _) => Ok(value),
                Fetched::NotModified => Err(Error::bad_payload(
                    self.name(),
                    "not modified, to a request without conditions",
                )),
            }
        });
        answer.await
    }
}

#[async_trait]
impl Provider for HttpProvider {
    fn name(&self) -> &str {
        self.client.provider()
    }

    fn limits(&self) -> Limits {
        self.client.limits()
    }

    fn left_today(&self) -> Option<u32> {
        self.client.left_today()
    }

    async fn daily(
        &self,
        symbol: &str,
        window: Window,
        known: &Validators,
    ) -> Result<Fetched<Daily>> {
        let blanks = self.of_symbol(symbol, Some(window))?;
        let path = self.path(self.templates.daily.as_ref(), "daily bars", &blanks)?;
        let key = format!("{path} {window:?} {known:?}");
        let read = |body: &str| self.shape.daily(body, window);
        let ask = async || self.client.get(&path, symbol, known, read).await;
        self.daily.share(&key, ask).await
    }

    async fn quote(&self, symbol: &str) -> Result<Quote> {
        let blanks = self.of_symbol(symbol, None)?;
        let path = self.path(self.templates.quote.as_ref(), "quotes", &blanks)?;
        let read = |body: &str| self.shape.quote(body);
        self.fresh(&self.quotes, path, symbol, read).await
    }

    async fn info(&self, symbol: &str) -> Result<Info> {
        let blanks = self.of_symbol(symbol, None)?;
        let path = self.path(self.templates.info.as_ref(), "facts of assets", &blanks)?;
        let read = |body: &str| self.shape.info(body);
        self.fresh(&self.info, path, symbol, read).await
    }

    async fn rates(&self, request: &RatesRequest, known: &Validators) -> Result<Fetched<Rates>> {
        let codes: Vec<&str> = request.quotes.iter().map(|quote| quote.as_str()).collect();
        let blanks = Blanks {
            window: Some(request.window),
            base: request.base.to_string(),
            quotes: codes.join(","),
            ..Blanks::default()
        };
        let path = self.path(self.templates.rates.as_ref(), "exchange rates", &blanks)?;
        let read = |body: &str| self.shape.rates(body, request);
        let ask = async || self.client.get(&path, &blanks.quotes, known, read).await;
        self.rates.share(&format!("{path} {known:?}"), ask).await
    }
}
