//! Sums over the portfolios of a run, taken as they come: what each of them holds is not kept.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use compact_str::CompactString;
use jiff::civil::Date;

use super::digest::PortfolioDigest;
use super::envelope::{Issue, RefreshData, TopEntry, Total};
use super::load::Target;
use crate::decimal::Decimal;
use crate::money::Currency;
use crate::store::PortfolioRow;

/// Entries of a ranking.
const RANKED: usize = 5;

/// A portfolio of a run with its sums, in its base currency.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) row: PortfolioRow,
    pub(super) hash: String,
    pub(super) as_of: Date,
    pub(super) nav: Decimal,
    pub(super) unrealised: Decimal,
    pub(super) realised: Decimal,
    pub(super) warnings: Vec<Issue>,
}

/// Values by symbol.
type BySymbol = HashMap<CompactString, Decimal, foldhash::fast::RandomState>;

/// What is known of the portfolios so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) known: Vec<Known>,
    /// Values by symbol, of the portfolios of a currency and day.
    pub(super) values: BTreeMap<(Currency, Date), BySymbol>,
    investments: usize,
    top: Vec<TopEntry>,
    bottom: Vec<TopEntry>,
}

impl Tally {
    pub(super) fn add(&mut self, target: Target, digest: PortfolioDigest) {
        self.rank(target.row.id, &digest);
        self.investments += digest.investments;
        let values = self.values.entry((digest.base, digest.as_of)).or_default();
        for (symbol, value) in digest.values {
            match values.get_mut(&symbol) {
                Some(sum) => *sum += value,
                None => drop(values.insert(symbol, value)),
            }
        }
        self.known.push(Known {
            row: target.row,
            hash: target.hash,
            as_of: digest.as_of,
            nav: digest.nav,
            unrealised: digest.unrealised,
            realised: digest.realised,
            warnings: digest.warnings,
        });
    }

    /// The portfolios in the order of their ids, by user.
    pub(super) fn by_user(&self) -> BTreeMap<i64, Vec<&Known>> {
        let mut users: BTreeMap<i64, Vec<&Known>> = BTreeMap::new();
        for known in &self.known {
            users.entry(known.row.user_id).or_default().push(known);
        }
        users
    }

    /// Fills totals, investments and rankings.
    pub(super) fn sum_up(&self, data: &mut RefreshData) {
        for known in &self.known {
            let currency = known.row.base_currency.to_string();
            let total: &mut Total = data.totals.entry(currency).or_default();
            total.nav += known.nav;
            total.unrealised += known.unrealised;
        }
        data.investments = self.investments;
        data.top.clone_from(&self.top);
        data.bottom.clone_from(&self.bottom);
    }

    fn rank(&mut self, portfolio_id: i64, digest: &PortfolioDigest) {
        for (symbol, contribution) in &digest.contributions {
            let entry = Candidate {
                portfolio_id,
                symbol,
                contribution: *contribution,
            };
            if *contribution > 0.0 {
                entry.place(&mut self.top, |new, old| old.total_cmp(&new));
            } else if *contribution < 0.0 {
                entry.place(&mut self.bottom, |new, old| new.total_cmp(&old));
            }
        }
    }
}

/// What may become an entry of a ranking.
struct Candidate<'s> {
    portfolio_id: i64,
    symbol: &'s str,
    contribution: f64,
}

impl Candidate<'_> {
    /// Puts it where `order` (less is better) says; equal ones follow each other by portfolio and symbol.
    fn place(&self, ranking: &mut Vec<TopEntry>, order: fn(f64, f64) -> Ordering) {
        let place = ranking.partition_point(|entry| {
            let found = order(self.contribution, entry.contribution);
            let name = (self.portfolio_id, self.symbol);
            let found = found.then_with(|| name.cmp(&(entry.portfolio_id, entry.symbol.as_str())));
            found.is_gt()
        });
        if place < RANKED {
            let entry = TopEntry {
                portfolio_id: self.portfolio_id,
                symbol: self.symbol.to_owned(),
                contribution: self.contribution,
            };
            ranking.insert(place, entry);
            ranking.truncate(RANKED);
        }
    }
}
