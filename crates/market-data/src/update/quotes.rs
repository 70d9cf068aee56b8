//! Quotes of what active portfolios hold.

use std::collections::{BTreeSet, HashSet};

use jiff::{SignedDuration, Timestamp};
use portfolio::store::{Held, Listing, NewQuote};

use super::attempts::Attempts;
use super::report::Issue;
use super::together::together;
use super::{Hours, OnProgress, Stop, Updater, name_with};
use crate::error::Error;
use crate::model::Session;

/// Younger quotes are left alone.
const FRESH: SignedDuration = SignedDuration::from_secs(60);
/// Where nothing is held, its hours count.
const USUAL: &str = "XNYS";

/// Whose quotes.
#[derive(Clone, Debug, Default)]
pub struct QuoteRequest {
    /// Only what these portfolios hold; all active ones unless given.
    pub portfolio_ids: Option<Vec<i64>>,
    /// Only these assets, held or not.
    pub symbols: Option<Vec<String>>,
    /// Only while their exchange is open.
    pub hours: Option<Hours>,
}

/// How an update of quotes ended.
#[derive(Clone, Debug)]
pub enum Quotes {
    /// No exchange is open; the next session begins then.
    Closed {
        /// None when it is more than a month away.
        next_open: Option<Timestamp>,
    },
    /// Quotes were asked for.
    Done(QuoteReport),
}

/// What an update of quotes did.
#[derive(Clone, Debug)]
pub struct QuoteReport {
    /// How many assets there were.
    pub assets: usize,
    /// New prices.
    pub updated: usize,
    /// Fresh quotes, and those that are the newest still.
    pub unchanged: usize,
    /// Assets that failed.
    pub errors: Vec<Issue>,
    /// Portfolios that hold one with a new price.
    pub portfolios_touched: usize,
    /// Where trading stands.
    pub session: Session,
}

impl Updater<'_> {
    /// Updates quotes, and lets the overviews of the portfolios that they touch run out.
    ///
    /// # Errors
    /// When a named portfolio does not exist, or the database fails.
    pub async fn quotes(
        &self,
        request: &QuoteRequest,
        progress: OnProgress<'_>,
        stop: Stop<'_>,
    ) -> portfolio::Result<Quotes> {
        let held = self.held_by(request.portfolio_ids.as_deref()).await?;
        let mut errors = Vec::new();
        let wanted = self.wanted(request, &held, &mut errors).await?;
        let (open, closed) = self.by_hours(wanted, request.hours.unwrap_or(Hours::Any))?;
        if open.is_empty() && request.hours.is_some_and(|hours| hours != Hours::Any) {
            let calendars = closed.iter().map(|listing| listing.calendar.as_str());
            let hours = request.hours.unwrap_or(Hours::Any);
            if let Some(ended) = self.all_closed(calendars.collect(), hours)? {
                return Ok(ended);
            }
        }
        let mut report = QuoteReport {
            assets: open.len() + errors.len(),
            updated: 0,
            unchanged: 0,
            errors,
            portfolios_touched: 0,
            session: self.usual_session(&open)?,
        };
        let changed = self.ask_quotes(open, &mut report, progress, stop).await?;
        report.portfolios_touched = self.touch(&held, &changed).await?;
        Ok(Quotes::Done(report))
    }

    async fn held_by(&self, portfolio_ids: Option<&[i64]>) -> portfolio::Result<Vec<Held>> {
        let mut held = self.store.held().await?;
        let Some(ids) = portfolio_ids else {
            return Ok(held);
        };
        let known: HashSet<i64> = self
            .store
            .portfolios(None)
            .await?
            .iter()
            .map(|row| row.id)
            .collect();
        if let Some(missing) = ids.iter().find(|id| !known.contains(id)) {
            return Err(portfolio::Error::NotFound {
                what: "portfolio",
                id: missing.to_string(),
            });
        }
        held.retain(|held| ids.contains(&held.portfolio_id));
        Ok(held)
    }

    /// The assets to ask about; symbols that are none are noted.
    async fn wanted(
        &self,
        request: &QuoteRequest,
        held: &[Held],
        errors: &mut Vec<Issue>,
    ) -> portfolio::Result<Vec<Listing>> {
        let Some(symbols) = &request.symbols else {
            let ids: HashSet<i64> = held.iter().map(|held| held.asset_id).collect();
            let mut listings = self.store.listings().await?;
            listings.retain(|listing| ids.contains(&listing.id));
            return Ok(listings);
        };
        let mut wanted = Vec::new();
        for (symbol, listing) in self.listed(symbols).await? {
            match listing {
                Some(listing) => wanted.push(listing),
                None => errors.push(Issue::failed(
                    &symbol,
                    Error::not_found("the store", &symbol),
                )),
            }
        }
        Ok(wanted)
    }

    /// Those whose exchange is open, and the others.
    fn by_hours(
        &self,
        wanted: Vec<Listing>,
        hours: Hours,
    ) -> portfolio::Result<(Vec<Listing>, Vec<Listing>)> {
        let (mut open, mut closed) = (Vec::new(), Vec::new());
        for listing in wanted {
            let calendar = self.calendar(&listing.calendar)?;
            if hours.allow(&calendar, self.now) {
                open.push(listing);
            } else {
                closed.push(listing);
            }
        }
        Ok((open, closed))
    }

    /// The end of an update while every one of these exchanges is closed.
    fn all_closed(
        &self,
        mut calendars: BTreeSet<&str>,
        hours: Hours,
    ) -> portfolio::Result<Option<Quotes>> {
        if calendars.is_empty() {
            calendars.insert(USUAL);
        }
        let mut next_open: Option<Timestamp> = None;
        for name in calendars {
            let calendar = self.calendar(name)?;
            if hours.allow(&calendar, self.now) {
                return Ok(None);
            }
            let next = calendar.next_open(self.now).map(|session| session.open);
            next_open = [next_open, next].into_iter().flatten().min();
        }
        Ok(Some(Quotes::Closed { next_open }))
    }

    fn usual_session(&self, open: &[Listing]) -> portfolio::Result<Session> {
        let name = open.first().map_or(USUAL, |listing| &listing.calendar);
        Ok(Self::session(&self.calendar(name)?, self.now))
    }

    /// Asks a few at a time; returns the assets with a new price.
    async fn ask_quotes(
        &self,
        listings: Vec<Listing>,
        report: &mut QuoteReport,
        progress: OnProgress<'_>,
        stop: Stop<'_>,
    ) -> portfolio::Result<HashSet<i64>> {
        let fresh = self
            .store
            .quoted_since(self.now.checked_sub(FRESH).unwrap_or(Timestamp::MIN))
            .await?;
        let all = listings.len();
        let stale: Vec<_> = listings
            .iter()
            .filter(|listing| !fresh.contains(&listing.id))
            .collect();
        report.unchanged = all - stale.len();
        let mut changed = HashSet::new();
        let work = stale.iter().map(|listing| self.quote(listing));
        let each = |place: usize, answer: portfolio::Result<Result<bool, Error>>| {
            let listing = stale[place];
            match answer? {
                Err(error) => report.errors.push(Issue::failed(&listing.symbol, error)),
                Ok(false) => report.unchanged += 1,
                Ok(true) => {
                    changed.insert(listing.id);
                }
            }
            Ok(())
        };
        let left = together(work.collect(), "quotes", progress, stop, each).await?;
        let stopped = left
            .iter()
            .map(|place| Issue::stopped(&stale[*place].symbol));
        report.errors.extend(stopped);
        report.updated = changed.len();
        Ok(changed)
    }

    /// The quote of the first provider that answers; true when it is new.
    async fn quote(&self, listing: &Listing) -> portfolio::Result<Result<bool, Error>> {
        let mut attempts = Attempts::default();
        for provider in self.candidates(None, listing.provider.as_deref()) {
            let provider = provider.as_ref();
            if let Some(error) = self.resting(provider).await? {
                attempts.failed(error);
                continue;
            }
            match provider.quote(name_with(listing, provider)).await {
                Err(error) => self.note(provider, error, &mut attempts).await?,
                Ok(quote) => {
                    let calendar = self.calendar(&listing.calendar)?;
                    let quote = NewQuote {
                        asset_id: listing.id,
                        price: quote.price,
                        previous_close: quote.previous_close,
                        session: Self::session(&calendar, quote.quoted_at).as_str(),
                        quoted_at: quote.quoted_at,
                        source: provider.name(),
                    };
                    return self.store.put_quote(&quote, self.now).await.map(Ok);
                }
            }
        }
        Ok(Err(attempts.error(&listing.symbol)))
    }

    /// Marks what the portfolios with changed assets show as old; returns how many portfolios there are.
    async fn touch(&self, held: &[Held], changed: &HashSet<i64>) -> portfolio::Result<usize> {
        let touched = held.iter().filter(|held| changed.contains(&held.asset_id));
        let touched: BTreeSet<i64> = touched.map(|held| held.portfolio_id).collect();
        if !touched.is_empty() {
            let ids: Vec<i64> = touched.iter().copied().collect();
            self.store.expire_overviews(&ids, self.now).await?;
        }
        Ok(touched.len())
    }
}
