//! Facts of an asset.

use jiff::SignedDuration;
use portfolio::store::{Listing, NewFacts};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::attempts::Attempts;
use super::{Updater, name_with};
use crate::error::Error;
use crate::model::Info;

/// Facts and where they are from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactsReport {
    /// The asset.
    pub symbol: String,
    /// Its facts.
    pub info: Value,
    /// The provider.
    pub source: String,
    /// True when they were in the store already.
    pub cached: bool,
}

impl Updater<'_> {
    /// The facts of a symbol: from the store when they are younger than `max_age`, else from a provider. An unknown symbol
    /// becomes an asset.
    ///
    /// # Errors
    /// The outer one when the database fails, the inner one when no provider knows.
    pub async fn facts(
        &self,
        symbol: &str,
        max_age: SignedDuration,
    ) -> portfolio::Result<Result<FactsReport, Error>> {
        let listed = self.listed(&[symbol.to_owned()]).await?;
        let Some(listing) = listed.into_iter().find_map(|(_, listing)| listing) else {
            let found = self.discover(symbol, None).await?;
            return Ok(found.map(|listing| stored(&listing, false)));
        };
        let age = listing
            .info_fetched_at
            .map(|at| self.now.duration_since(at));
        if listing.info.is_some() && age.is_some_and(|age| age < max_age) {
            return Ok(Ok(stored(&listing, true)));
        }
        let (source, info) = match self.ask_facts(symbol, None, Some(&listing)).await? {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        self.keep_facts(listing.id, &source, &info).await?;
        Ok(Ok(FactsReport {
            symbol: symbol.to_owned(),
            info: info.with_source(&source),
            source,
            cached: false,
        }))
    }

    /// The first provider's facts, and its name.
    pub(super) async fn ask_facts(
        &self,
        symbol: &str,
        provider: Option<&str>,
        listing: Option<&Listing>,
    ) -> portfolio::Result<Result<(String, Info), Error>> {
        let mut attempts = Attempts::default();
        let own = listing.and_then(|listing| listing.provider.as_deref());
        for provider in self.candidates(provider, own) {
            let provider = provider.as_ref();
            if let Some(error) = self.resting(provider).await? {
                attempts.failed(error);
                continue;
            }
            let name = listing.map_or(symbol, |listing| name_with(listing, provider));
            match provider.info(name).await {
                Ok(info) => return Ok(Ok((provider.name().to_owned(), info))),
                Err(error) => self.note(provider, error, &mut attempts).await?,
            }
        }
        Ok(Err(attempts.error(symbol)))
    }

    pub(super) async fn keep_facts(
        &self,
        asset_id: i64,
        source: &str,
        info: &Info,
    ) -> portfolio::Result<()> {
        let text = info.with_source(source).to_string();
        let facts = NewFacts {
            name: info.name.as_deref(),
            sector: info.sector.as_deref(),
            country: info.country.as_deref(),
            isin: info.isin.as_deref(),
            figi: info.figi.as_deref(),
            info: &text,
        };
        self.store.put_facts(asset_id, &facts, self.now).await
    }
}

/// What the store has.
fn stored(listing: &Listing, cached: bool) -> FactsReport {
    let text = listing.info.as_deref().unwrap_or("{}");
    let info: Value = serde_json::from_str(text).unwrap_or_default();
    FactsReport {
        symbol: listing.symbol.clone(),
        source: info["source"].as_str().unwrap_or_default().to_owned(),
        info,
        cached,
    }
}
