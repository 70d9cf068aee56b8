//! What providers have, brought into the store. One failing asset stops no other; a failing database stops everything.

mod asset;
mod attempts;
mod facts;
mod fetch;
mod gaps;
mod hours;
mod moves;
mod quotes;
mod rates;
mod report;
mod sync;
mod together;

use std::sync::Arc;

use calendar::{Calendar, Calendars};
use jiff::Timestamp;
use portfolio::progress::Progress;
use portfolio::store::{Listing, Store};

use crate::model::Session;
use crate::provider::Provider;
use crate::providers::Providers;

pub use facts::FactsReport;
pub use fetch::{FetchReport, FetchRequest};
pub use gaps::{Gap, GapReport};
pub use hours::Hours;
pub use quotes::{QuoteReport, QuoteRequest, Quotes};
pub use report::{Issue, SymbolReport};
pub use sync::{SyncReport, SyncRequest};

/// Called as an update goes on.
pub type OnProgress<'p> = &'p mut (dyn FnMut(Progress) + Send);

/// True when an update should end early; what is done by then stays.
pub type Stop<'s> = &'s (dyn Fn() -> bool + Sync);

/// Asks providers and writes what they answer.
#[derive(Clone, Debug)]
pub struct Updater<'a> {
    store: &'a Store,
    providers: &'a Providers,
    calendars: Calendars,
    now: Timestamp,
}

impl<'a> Updater<'a> {
    /// An update at this time.
    pub fn new(store: &'a Store, providers: &'a Providers, now: Timestamp) -> Updater<'a> {
        Updater {
            store,
            providers,
            calendars: Calendars::from_env(),
            now,
        }
    }

    fn calendar(&self, mic: &str) -> portfolio::Result<Calendar> {
        Ok(self.calendars.get(mic)?)
    }

    /// Who is asked: the named provider alone, or the asset's and then the installation's.
    fn candidates(&self, named: Option<&str>, asset: Option<&str>) -> Vec<&Arc<dyn Provider>> {
        match named {
            Some(name) => self.providers.named(name).into_iter().collect(),
            None => self.providers.for_asset(asset),
        }
    }

    /// An error unless there is such a provider.
    fn require_provider(&self, name: Option<&str>) -> portfolio::Result<()> {
        match name {
            Some(name) if self.providers.named(name).is_none() => {
                Err(portfolio::Error::InvalidArgument {
                    field: "provider",
                    value: name.to_owned(),
                    rule: "must be one of the providers in celeriac_market_data_providers or celeriac_market_data_http",
                })
            }
            _ => Ok(()),
        }
    }

    /// Where trading stands on a calendar at a time.
    fn session(calendar: &Calendar, time: Timestamp) -> Session {
        hours::session(calendar, time)
    }
}

/// An asset's name with a provider.
fn name_with<'l>(listing: &'l Listing, provider: &dyn Provider) -> &'l str {
    let own = listing.provider.as_deref() == Some(provider.name());
    match &listing.provider_symbol {
        Some(symbol) if own => symbol,
        _ => &listing.symbol,
    }
}
