//! Daily bars of named symbols.

use std::collections::{BTreeMap, HashMap};

use portfolio::store::{Listing, NewAsset};

use super::asset::{Ask, Brought};
use super::report::{Issue, SymbolReport};
use super::together::together;
use super::{OnProgress, Stop, Updater};
use crate::error::Error;
use crate::model::{Info, Window};

/// Which bars.
#[derive(Clone, Debug)]
pub struct FetchRequest {
    /// Tickers; an unknown one becomes an asset when a provider knows its facts.
    pub symbols: Vec<String>,
    /// The days.
    pub window: Window,
    /// Only this provider.
    pub provider: Option<String>,
    /// Ask again for what is known.
    pub force: bool,
}

/// What a fetch did.
#[derive(Clone, Debug, Default)]
pub struct FetchReport {
    /// By symbol.
    pub symbols: BTreeMap<String, SymbolReport>,
    /// Symbols that failed.
    pub errors: Vec<Issue>,
    /// What is odd.
    pub warnings: Vec<Issue>,
}

impl FetchReport {
    pub(super) fn add(&mut self, symbol: &str, brought: Result<Brought, Error>) {
        match brought {
            Ok((report, odd)) => {
                self.symbols.insert(symbol.to_owned(), report);
                self.warnings.extend(odd);
            }
            Err(error) => self.errors.push(Issue::failed(symbol, error)),
        }
    }

    /// The sum of a count over all symbols.
    pub fn total(&self, count: impl Fn(&SymbolReport) -> u64) -> u64 {
        self.symbols.values().map(count).sum()
    }
}

impl Updater<'_> {
    /// Fetches bars and actions of symbols.
    ///
    /// # Errors
    /// When the named provider does not exist, or the database fails.
    pub async fn fetch(
        &self,
        request: &FetchRequest,
        progress: OnProgress<'_>,
        stop: Stop<'_>,
    ) -> portfolio::Result<FetchReport> {
        self.require_provider(request.provider.as_deref())?;
        let mut report = FetchReport::default();
        let mut asks = Vec::new();
        let ask = Ask {
            window: request.window,
            provider: request.provider.as_deref(),
            force: request.force,
        };
        for (symbol, listing) in self.listed(&request.symbols).await? {
            match listing {
                Some(listing) => asks.push((listing, ask)),
                None if stop() => report.errors.push(Issue::stopped(&symbol)),
                None => match self.discover(&symbol, request.provider.as_deref()).await? {
                    Ok(listing) => asks.push((listing, ask)),
                    Err(error) => report.errors.push(Issue::failed(&symbol, error)),
                },
            }
        }
        self.bring_all(asks, &mut report, progress, stop).await?;
        Ok(report)
    }

    /// The active assets of these symbols, in their order; of several exchanges the oldest.
    pub(super) async fn listed(
        &self,
        symbols: &[String],
    ) -> portfolio::Result<Vec<(String, Option<Listing>)>> {
        let mut by_symbol: HashMap<String, Listing> = HashMap::new();
        for listing in self.store.listings().await? {
            by_symbol.entry(listing.symbol.clone()).or_insert(listing);
        }
        let found = symbols
            .iter()
            .map(|symbol| (symbol.clone(), by_symbol.remove(symbol)));
        Ok(found.collect())
    }

    /// Brings the bars of several assets, a few at a time.
    pub(super) async fn bring_all(
        &self,
        asks: Vec<(Listing, Ask<'_>)>,
        report: &mut FetchReport,
        progress: OnProgress<'_>,
        stop: Stop<'_>,
    ) -> portfolio::Result<()> {
        let work = asks.iter().map(|(listing, ask)| self.bring(listing, *ask));
        let each = |place: usize, brought: portfolio::Result<Result<Brought, Error>>| {
            report.add(&asks[place].0.symbol, brought?);
            Ok(())
        };
        let left = together(work.collect(), "symbols", progress, stop, each).await?;
        let stopped = left
            .iter()
            .map(|place| Issue::stopped(&asks[*place].0.symbol));
        report.errors.extend(stopped);
        Ok(())
    }

    /// Makes an asset of a symbol that a provider knows.
    pub(super) async fn discover(
        &self,
        symbol: &str,
        provider: Option<&str>,
    ) -> portfolio::Result<Result<Listing, Error>> {
        let (source, info) = match self.ask_facts(symbol, provider, None).await? {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        let Some(currency) = info.currency else {
            return Ok(Err(Error::BadPayload {
                provider: source,
                problem: format!("no currency of {symbol}: add the asset first"),
            }));
        };
        let asset = NewAsset {
            name: info.name.as_deref().unwrap_or(symbol),
            class: info.class.as_deref().unwrap_or("equity"),
            sector: info.sector.as_deref(),
            country: info.country.as_deref(),
            ..NewAsset::share(symbol, currency)
        };
        let id = self.store.put_asset(&asset).await?;
        self.keep_facts(id, &source, &info).await?;
        let listed = self.listed(&[symbol.to_owned()]).await?;
        let listing = listed.into_iter().find_map(|(_, listing)| listing);
        Ok(listing.ok_or_else(|| Error::not_found(&source, symbol)))
    }
}

impl Info {
    /// The facts as a JSON object, with where they are from.
    pub(super) fn with_source(&self, source: &str) -> serde_json::Value {
        let mut value = serde_json::json!(self);
        value["source"] = source.into();
        value
    }
}
