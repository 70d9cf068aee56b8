//! Sessions of which a held asset has no price.

use std::collections::BTreeMap;

use jiff::civil::Date;
use portfolio::progress::Progress;
use portfolio::store::Listing;
use serde::Serialize;

use super::asset::Ask;
use super::report::Issue;
use super::{OnProgress, Stop, Updater};
use crate::model::Window;

/// Missing days of one asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The asset.
    pub symbol: String,
    /// The first missing session.
    pub from: Date,
    /// The last one.
    pub to: Date,
    /// How many sessions are missing in between.
    pub sessions: usize,
}

/// What became of gaps.
#[derive(Clone, Debug, Default)]
pub struct GapReport {
    /// Those that there were.
    pub gaps: Vec<Gap>,
    /// Prices that were brought.
    pub filled: u64,
    /// Assets that failed.
    pub errors: Vec<Issue>,
}

impl Updater<'_> {
    /// Finds sessions without a price between an asset's first row in an active portfolio and today, and fetches
    /// them unless `dry_run`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn gaps(
        &self,
        dry_run: bool,
        progress: OnProgress<'_>,
        stop: Stop<'_>,
    ) -> portfolio::Result<GapReport> {
        let mut report = GapReport::default();
        let held = self.held_since().await?;
        let total = held.len() as u64;
        for (done, (listing, since)) in held.iter().enumerate() {
            progress(Progress {
                phase: "gaps",
                current: done as u64,
                total,
            });
            let Some(gap) = self.gap(listing, *since).await? else {
                continue;
            };
            if !dry_run && !stop() {
                self.fill(listing, &gap, &mut report).await?;
            }
            report.gaps.push(gap);
        }
        progress(Progress {
            phase: "gaps",
            current: total,
            total,
        });
        Ok(report)
    }

    /// Held assets and the day since which they matter.
    async fn held_since(&self) -> portfolio::Result<Vec<(Listing, Date)>> {
        let mut since: BTreeMap<i64, Date> = BTreeMap::new();
        for held in self.store.held().await? {
            let first = since.entry(held.asset_id).or_insert(held.since);
            *first = held.since.min(*first);
        }
        let listings = self.store.listings().await?.into_iter();
        let known = listings.filter_map(|listing| {
            let since = *since.get(&listing.id)?;
            Some((listing, since))
        });
        Ok(known.collect())
    }

    async fn gap(&self, listing: &Listing, since: Date) -> portfolio::Result<Option<Gap>> {
        let calendar = self.calendar(&listing.calendar)?;
        let to = calendar.last_completed(self.now);
        let stored = self.store.price_days(listing.id, since, to).await?;
        let mut missing = calendar.sessions(since.yesterday().unwrap_or(since), to);
        missing.retain(|day| !stored.contains(day));
        Ok(missing.first().zip(missing.last()).map(|(from, to)| Gap {
            symbol: listing.symbol.clone(),
            from: *from,
            to: *to,
            sessions: missing.len(),
        }))
    }

    async fn fill(
        &self,
        listing: &Listing,
        gap: &Gap,
        report: &mut GapReport,
    ) -> portfolio::Result<()> {
        let ask = Ask {
            window: Window {
                from: gap.from,
                to: gap.to,
            },
            provider: None,
            force: true,
        };
        match self.bring(listing, ask).await? {
            Ok((brought, _)) => report.filled += brought.rows_inserted,
            Err(error) => report.errors.push(Issue::failed(&listing.symbol, error)),
        }
        Ok(())
    }
}
