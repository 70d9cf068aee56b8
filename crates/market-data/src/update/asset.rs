//! Daily bars and actions of one asset.

use calendar::Calendar;
use portfolio::store::{Listing, Mark, NewBars, Written};

use super::attempts::Attempts;
use super::report::{Issue, SymbolReport};
use super::{Updater, moves, name_with};
use crate::error::Error;
use crate::model::{Daily, Fetched, Validators, Window};
use crate::provider::Provider;

/// What is asked about one asset.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    pub(super) window: Window,
    /// Only this provider.
    pub(super) provider: Option<&'a str>,
    /// Whether a known answer is asked for again.
    pub(super) force: bool,
}

/// One asset's report and what is odd about it.
pub(super) type Brought = (SymbolReport, Vec<Issue>);

impl Updater<'_> {
    /// Brings the bars of the first provider that answers.
    pub(super) async fn bring(
        &self,
        listing: &Listing,
        ask: Ask<'_>,
    ) -> portfolio::Result<Result<Brought, Error>> {
        let mut attempts = Attempts::default();
        for provider in self.candidates(ask.provider, listing.provider.as_deref()) {
            let provider = provider.as_ref();
            if let Some(error) = self.resting(provider).await? {
                attempts.failed(error);
                continue;
            }
            match self.bring_from(provider, listing, ask).await? {
                Ok(brought) => return Ok(Ok(brought)),
                Err(error) => self.note(provider, error, &mut attempts).await?,
            }
        }
        Ok(Err(attempts.error(&listing.symbol)))
    }

    async fn bring_from(
        &self,
        provider: &dyn Provider,
        listing: &Listing,
        ask: Ask<'_>,
    ) -> portfolio::Result<Result<Brought, Error>> {
        let Window { from, to } = ask.window;
        let kind = format!("daily:{}:", listing.symbol);
        let key = format!("{kind}{from}:{to}");
        let known = if ask.force {
            Validators::default()
        } else {
            let mark = self.store.mark(provider.name(), &key).await?;
            Validators {
                etag: mark.etag,
                last_modified: mark.last_modified,
            }
        };
        let fetched = provider.daily(name_with(listing, provider), ask.window, &known);
        let (daily, validators) = match fetched.await {
            Err(error) => return Ok(Err(error)),
            Ok(Fetched::NotModified) => return Ok(Ok(not_modified(provider))),
            Ok(Fetched::New(daily, validators)) => (daily, validators),
        };
        let (daily, unfinished) = self.finished(daily, listing)?;
        // The history first: whoever is cut off between the two finds the actions that ask for it new again.
        let history = self.history(provider, listing, ask, &daily).await?;
        let (mut report, mut odd) = self.write(provider, listing, &daily).await?;
        if let Some((more, odd_too)) = history {
            report.rows_inserted += more.rows_inserted;
            report.rows_updated += more.rows_updated;
            report.actions += more.actions;
            odd.extend(odd_too);
        }
        // An unfinished day is asked for again, even when the answer stays the same.
        if !unfinished && validators != Validators::default() {
            let mark = Mark {
                etag: validators.etag,
                last_modified: validators.last_modified,
                ..Mark::default()
            };
            let key = (kind.as_str(), key.as_str());
            self.store
                .put_mark(provider.name(), key, &mark, self.now)
                .await?;
        }
        Ok(Ok((report, odd)))
    }

    /// Leaves out sessions that have not closed yet; true when there was one.
    fn finished(&self, mut daily: Daily, listing: &Listing) -> portfolio::Result<(Daily, bool)> {
        let calendar: Calendar = self.calendar(&listing.calendar)?;
        let last = calendar.last_completed(self.now);
        let all = daily.bars.len();
        daily.bars.retain(|bar| bar.date <= last);
        let unfinished = daily.bars.len() < all;
        Ok((daily, unfinished))
    }

    async fn write(
        &self,
        provider: &dyn Provider,
        listing: &Listing,
        daily: &Daily,
    ) -> portfolio::Result<Brought> {
        let before = match daily.bars.first() {
            Some(first) => self.store.close_before(listing.id, first.date).await?,
            None => None,
        };
        let odd = moves::suspicious(&listing.symbol, before, daily);
        let bars = NewBars {
            asset_id: listing.id,
            prices: &daily.bars,
            adjusted: daily.adjusted,
            actions: &daily.actions,
            source: provider.name(),
        };
        let written = self.store.put_bars(&bars, self.now).await?;
        Ok((report(provider, written, daily.dropped), odd))
    }

    /// A new split or dividend may have changed what the provider says of the days before: they are fetched again.
    async fn history(
        &self,
        provider: &dyn Provider,
        listing: &Listing,
        ask: Ask<'_>,
        daily: &Daily,
    ) -> portfolio::Result<Option<Brought>> {
        let earlier = listing.first_price.filter(|first| *first < ask.window.from);
        let Some(from) = earlier else {
            return Ok(None);
        };
        if !self
            .store
            .has_new_actions(listing.id, &daily.actions)
            .await?
        {
            return Ok(None);
        }
        let window = Window {
            from,
            to: ask.window.from,
        };
        let known = Validators::default();
        let fetched = provider.daily(name_with(listing, provider), window, &known);
        match fetched.await {
            Ok(Fetched::New(daily, _)) => {
                let (daily, _) = self.finished(daily, listing)?;
                self.write(provider, listing, &daily).await.map(Some)
            }
            Ok(Fetched::NotModified) => Ok(None),
            Err(error) => {
                let told = format!("the history before {from} could not be fetched again: {error}");
                let odd = Issue::odd(&listing.symbol, "history_not_refetched", told);
                Ok(Some((SymbolReport::default(), vec![odd])))
            }
        }
    }
}

fn not_modified(provider: &dyn Provider) -> Brought {
    let report = SymbolReport {
        provider: provider.name().to_owned(),
        not_modified: true,
        ..SymbolReport::default()
    };
    (report, Vec::new())
}

fn report(provider: &dyn Provider, written: Written, dropped: usize) -> SymbolReport {
    SymbolReport {
        provider: provider.name().to_owned(),
        rows_inserted: written.inserted,
        rows_updated: written.updated,
        rows_unchanged: written.unchanged,
        actions: written.actions,
        dropped,
        not_modified: false,
    }
}
