//! Many portfolios over the machine's cores, on prices in columns; see [`crate::engine`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::Date;

use super::compute::{Job, outline, request};
use super::envelope::Issue;
use super::load::Target;
use crate::by_id::ById;
use crate::cores::on_every_core;
use crate::dates::days_between;
use crate::engine::{Columns, Outline, Valued, value};
use crate::error::Error;
use crate::market::{AssetIx, Market};
use crate::money::Currency;
use crate::series::{Series, Walk, Walked};
use crate::store::{MarketRead, Store, asset_index};

/// Portfolios that one core values together: so few that what it knows of them stays near it.
const BATCH: usize = 4;

/// Prices of a run, in columns for each grid of days that its portfolios have.
#[derive(Debug, Default)]
pub(super) struct Engine {
    read: Arc<MarketRead>,
    index: ById<AssetIx>,
    grids: Mutex<BTreeMap<(Grid, Reach), InBases>>,
}

impl Engine {
    /// The market with what its prices were read at.
    pub(super) fn read(&self) -> &Arc<MarketRead> {
        &self.read
    }

    /// Where assets are in the market, by id.
    pub(super) fn asset_index(&self) -> &ById<AssetIx> {
        &self.index
    }

    /// Those of some assets that it does not know.
    pub(super) fn unknown(&self, named: impl Iterator<Item = i64>) -> Vec<i64> {
        named.filter(|id| !self.index.contains_key(id)).collect()
    }

    /// An engine that knows all of these assets too; when they are most of those that are traded, it knows all of them.
    pub(super) async fn knowing(
        self: Arc<Engine>,
        store: &Store,
        new: Vec<i64>,
    ) -> Result<Arc<Engine>, Error> {
        if new.is_empty() {
            return Ok(self);
        }
        let known = self.index.keys().copied();
        let mut assets: BTreeSet<i64> = known.chain(new).collect();
        drop(self);
        let traded = store.traded_assets().await?;
        if assets.len() * 2 > traded.len() {
            assets.extend(traded);
        }
        let assets: Vec<i64> = assets.into_iter().collect();
        let read = Arc::new(store.market_read(&assets).await?);
        Ok(Arc::new(Engine {
            index: asset_index(&read.market),
            read,
            grids: Mutex::default(),
        }))
    }

    /// Makes something of every job; results come in the order of the jobs. `None` where the state of a ledger does not do and
    /// its rows are needed.
    pub(super) fn make_all<M: Making>(
        &self,
        making: &M,
        jobs: &[Job],
    ) -> Vec<Option<Result<M::Item, Issue>>> {
        let batches: Vec<&[Job]> = jobs.chunks(BATCH).collect();
        let results = on_every_core(&batches, |batch| self.make_batch(making, batch));
        results.into_iter().flatten().collect()
    }

    fn make_batch<M: Making>(
        &self,
        making: &M,
        jobs: &[Job],
    ) -> Vec<Option<Result<M::Item, Issue>>> {
        let mut results: Vec<Option<Result<M::Item, Issue>>> = jobs.iter().map(|_| None).collect();
        let mut outlined: Outlined<'_> = BTreeMap::new();
        for (turn, job) in jobs.iter().enumerate() {
            match outline(&self.read.market, job, making.starts(job)) {
                Ok(Some(outline)) => {
                    let (target, reach) = (&job.target, Reach::of(job, &outline));
                    let (turns, outlines) = outlined
                        .entry((grid_of(target), reach, target.row.base_currency))
                        .or_default();
                    turns.push(turn);
                    outlines.push(outline);
                }
                _ if job.is_resumed() => {}
                Err(error) => results[turn] = Some(Err(job.failed(error))),
                Ok(None) => results[turn] = Some(Ok(making.empty(job))),
            }
        }
        for ((_, reach, _), (turns, outlines)) in outlined {
            let columns = self.columns(&jobs[turns[0]].target, reach);
            for (turn, valued) in turns.into_iter().zip(value(&columns, outlines)) {
                results[turn] = self.finish(making, &jobs[turn], &valued);
            }
        }
        results
    }

    /// The columns of a portfolio's days in its currency; portfolios with the same days share the prices.
    fn columns(&self, target: &Target, reach: Reach) -> Arc<Columns> {
        let (grid, base) = ((grid_of(target), reach), target.row.base_currency);
        let mut grids = self.grids.lock().unwrap_or_else(PoisonError::into_inner);
        let bases = grids.entry(grid).or_default();
        if let Some(columns) = bases.get(&base) {
            return Arc::clone(columns);
        }
        let columns = match bases.values().next() {
            Some(other) => other.in_base(&self.read.market, base),
            None => reach.columns(&self.read.market, target, base),
        };
        let columns = Arc::new(columns);
        bases.insert(base, Arc::clone(&columns));
        columns
    }

    fn finish<M: Making>(
        &self,
        making: &M,
        job: &Job,
        valued: &Valued<'_, '_>,
    ) -> Option<Result<M::Item, Issue>> {
        let made = if valued.is_sound() {
            self.make_sound(making, job, valued)
        } else if job.is_resumed() {
            return None;
        } else {
            self.make_exact(making, job)
        };
        // Whatever is wrong with what a state gives is said by the rows.
        (made.is_ok() || !job.is_resumed()).then_some(made)
    }

    fn make_sound<M: Making>(
        &self,
        making: &M,
        job: &Job,
        valued: &Valued<'_, '_>,
    ) -> Result<M::Item, Issue> {
        let (market, end) = (&self.read.market, &valued.outline.end);
        let item = making.make(market, job, end, |from| valued.span(from))?;
        Ok(making.keep(market, job, valued, item))
    }

    fn make_exact<M: Making>(&self, making: &M, job: &Job) -> Result<M::Item, Issue> {
        match Walk::run(request(&self.read.market, job, making.starts(job))) {
            Err(error) => Err(job.failed(error)),
            Ok(None) => Ok(making.empty(job)),
            Ok(Some(walk)) => making.make(&self.read.market, job, &walk, |from| walk.window(from)),
        }
    }
}

/// What is made of a portfolio.
pub(super) trait Making: Sync {
    /// It.
    type Item: Send;

    /// The days on which a period may open.
    fn starts(&self, job: &Job) -> Vec<Date>;

    /// That of a portfolio in which nothing has happened.
    fn empty(&self, job: &Job) -> Self::Item;

    /// That of a portfolio by where it stands at the end; `series` gives that of a period by its opening day.
    fn make<S: Series>(
        &self,
        market: &Market,
        job: &Job,
        end: &Walked<'_>,
        series: impl Fn(Date) -> S,
    ) -> Result<Self::Item, Issue>;

    /// What was made, with what is to be kept of the ledger; without anything unless a kind of item says otherwise.
    fn keep(&self, _: &Market, _: &Job, _: &Valued<'_, '_>, item: Self::Item) -> Self::Item {
        item
    }
}

/// The days whose prices are needed in columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    AllDays,
    /// The values of earlier days are kept.
    LastDays,
}

impl Reach {
    /// Calendar days that the last days of a grid hold, even where every day is a session.
    const LAST: i64 = 60;

    /// What a portfolio needs whose values are asked for, and what was earned since inception.
    fn of(job: &Job, outline: &Outline<'_>) -> Reach {
        let kept = outline.kept_until();
        match kept.map(|last| days_between(last, job.target.as_of)) {
            Some(days) if days <= Reach::LAST => Reach::LastDays,
            _ => Reach::AllDays,
        }
    }

    fn columns(self, market: &Market, target: &Target, base: Currency) -> Columns {
        match self {
            Reach::AllDays => Columns::build(market, &target.calendar, target.as_of, base),
            Reach::LastDays => Columns::of_last_days(market, &target.calendar, target.as_of, base),
        }
    }
}

/// Columns by the currency that their rates lead to.
type InBases = BTreeMap<Currency, Arc<Columns>>;

/// The outlines of jobs and which jobs these are, by the columns that they need.
type Outlined<'m> = BTreeMap<(Grid, Reach, Currency), (Vec<usize>, Vec<Outline<'m>>)>;

/// A calendar by its code, and the last day.
type Grid = (String, Date);

fn grid_of(target: &Target) -> Grid {
    (target.calendar.mic().to_owned(), target.as_of)
}
