//! Exchange rates of all currencies in use.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use portfolio::money::Currency;
use portfolio::store::Mark;

use super::Updater;
use super::attempts::Attempts;
use super::sync::{FIRST_DAY, OVERLAP_DAYS};
use crate::error::Error;
use crate::model::{Fetched, RatesRequest, Validators, Window};
use crate::provider::Provider;

impl Updater<'_> {
    /// Brings rates to the euro since the last stored ones; returns how many were new or changed.
    pub(super) async fn bring_rates(&self, full: bool) -> portfolio::Result<Result<u64, Error>> {
        let mut quotes: Vec<Currency> = self.store.currencies().await?.into_iter().collect();
        quotes.retain(|code| *code != Currency::EUR);
        if quotes.is_empty() {
            return Ok(Ok(0));
        }
        let request = RatesRequest {
            base: Currency::EUR,
            quotes,
            window: self.rates_window(full).await?,
        };
        let mut attempts = Attempts::default();
        for provider in self.candidates(None, None) {
            let provider = provider.as_ref();
            if let Some(error) = self.resting(provider).await? {
                attempts.failed(error);
                continue;
            }
            match self.rates_from(provider, &request, full).await? {
                Ok(written) => return Ok(Ok(written)),
                Err(error) => self.note(provider, error, &mut attempts).await?,
            }
        }
        Ok(Err(attempts.error("exchange rates")))
    }

    async fn rates_window(&self, full: bool) -> portfolio::Result<Window> {
        let to = self.now.to_zoned(TimeZone::UTC).date();
        let last: Option<Date> = self.store.newest_rate().await?;
        let since = last
            .filter(|_| !full)
            .map(|last| last.saturating_sub(OVERLAP_DAYS.days()));
        Ok(Window {
            from: since.unwrap_or(FIRST_DAY).min(to),
            to,
        })
    }

    async fn rates_from(
        &self,
        provider: &dyn Provider,
        request: &RatesRequest,
        full: bool,
    ) -> portfolio::Result<Result<u64, Error>> {
        let codes: Vec<&str> = request.quotes.iter().map(Currency::as_str).collect();
        let Window { from, to } = request.window;
        let key = format!("fx:{}:{from}:{to}", codes.join(","));
        let mark = self.store.mark(provider.name(), &key).await?;
        let known = Validators {
            etag: mark.etag.filter(|_| !full),
            last_modified: mark.last_modified.filter(|_| !full),
        };
        let (rates, validators) = match provider.rates(request, &known).await {
            Err(error) => return Ok(Err(error)),
            Ok(Fetched::NotModified) => return Ok(Ok(0)),
            Ok(Fetched::New(rates, validators)) => (rates, validators),
        };
        let written = self.store.put_rate_rows(&rates, provider.name()).await?;
        if validators != Validators::default() {
            let mark = Mark {
                etag: validators.etag,
                last_modified: validators.last_modified,
                ..Mark::default()
            };
            self.store
                .put_mark(provider.name(), ("fx:", &key), &mark, self.now)
                .await?;
        }
        Ok(Ok(written))
    }
}
