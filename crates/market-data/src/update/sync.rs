//! Every active asset brought up to date, the oldest first, within the providers' daily quotas.

use jiff::ToSpan;
use jiff::civil::Date;
use portfolio::store::Listing;

use super::asset::Ask;
use super::report::Issue;
use super::{FetchReport, OnProgress, Stop, Updater};
use crate::error::Error;
use crate::model::Window;

/// Days before the last stored one that are asked for again, because they may have been corrected.
pub(super) const OVERLAP_DAYS: i64 = 5;
/// Histories begin here.
pub(super) const FIRST_DAY: Date = Date::constant(2000, 1, 1);

/// What is synchronised.
#[derive(Clone, Debug)]
pub struct SyncRequest {
    /// Only these assets.
    pub symbols: Option<Vec<String>>,
    /// Whole histories.
    pub full: bool,
    /// Exchange rates too.
    pub include_fx: bool,
}

/// What a synchronisation did.
#[derive(Clone, Debug, Default)]
pub struct SyncReport {
    /// How many assets there were.
    pub assets: usize,
    /// What was fetched, and what failed.
    pub fetched: FetchReport,
    /// Assets that have every finished session.
    pub up_to_date: usize,
    /// Exchange rates that were new or changed.
    pub fx_rows: u64,
}

impl Updater<'_> {
    /// Brings every active asset, and the exchange rates of all currencies in use, up to date.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sync(
        &self,
        request: &SyncRequest,
        progress: OnProgress<'_>,
        stop: Stop<'_>,
    ) -> portfolio::Result<SyncReport> {
        let mut report = SyncReport::default();
        let mut listings = self.of_interest(request, &mut report).await?;
        listings.sort_by_key(|listing| listing.last_price);
        report.assets = listings.len() + report.fetched.errors.len();
        let mut asks = Vec::new();
        for listing in listings {
            match self.missing(&listing, request.full)? {
                Some(window) => asks.push((listing, ask(window, request.full))),
                None => report.up_to_date += 1,
            }
        }
        self.within_quota(&mut asks, &mut report);
        self.bring_all(asks, &mut report.fetched, progress, stop)
            .await?;
        if request.include_fx && !stop() {
            match self.bring_rates(request.full).await? {
                Ok(rows) => report.fx_rows = rows,
                Err(error) => report.fetched.errors.push(Issue::failed("fx", error)),
            }
        }
        Ok(report)
    }

    async fn of_interest(
        &self,
        request: &SyncRequest,
        report: &mut SyncReport,
    ) -> portfolio::Result<Vec<Listing>> {
        let Some(symbols) = &request.symbols else {
            return self.store.listings().await;
        };
        let mut found = Vec::new();
        for (symbol, listing) in self.listed(symbols).await? {
            match listing {
                Some(listing) => found.push(listing),
                None => {
                    let error = Error::not_found("the store", &symbol);
                    report.fetched.errors.push(Issue::failed(&symbol, error));
                }
            }
        }
        Ok(found)
    }

    /// The days to ask for; none when the last finished session is there.
    fn missing(&self, listing: &Listing, full: bool) -> portfolio::Result<Option<Window>> {
        let to = self.calendar(&listing.calendar)?.last_completed(self.now);
        let from = match listing.last_price {
            _ if full => listing.first_price.unwrap_or(FIRST_DAY).min(FIRST_DAY),
            Some(last) if last >= to => return Ok(None),
            Some(last) => last.saturating_sub(OVERLAP_DAYS.days()),
            None => FIRST_DAY,
        };
        Ok(Some(Window { from, to }))
    }

    /// Leaves what is beyond the quota of the provider that is asked first to a later run.
    fn within_quota(&self, asks: &mut Vec<(Listing, Ask<'_>)>, report: &mut SyncReport) {
        let mut used = std::collections::HashMap::<String, u32>::new();
        asks.retain(|(listing, _)| {
            let first = self.candidates(None, listing.provider.as_deref());
            let Some((name, left)) = first
                .first()
                .and_then(|provider| Some((provider.name().to_owned(), provider.left_today()?)))
            else {
                return true;
            };
            let used = used.entry(name.clone()).or_default();
            *used += 1;
            if *used > left {
                let told = format!(
                    "{} waits: the day's requests to {name} are used up",
                    listing.symbol
                );
                report
                    .fetched
                    .warnings
                    .push(Issue::odd(&listing.symbol, "postponed", told));
            }
            *used <= left
        });
    }
}

fn ask(window: Window, force: bool) -> Ask<'static> {
    Ask {
        window,
        provider: None,
        force,
    }
}
