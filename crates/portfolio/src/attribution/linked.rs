//! Attribution of a range: every day on its own, the days linked so that their effects add up to the active return of the whole.
//!
//! The link is Cariño's: a day's effects times `k_t/K`, where `k = (ln(1+p) - ln(1+b)) / (p - b)` of the portfolio's return `p` and
//! the benchmark's `b`.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use super::mix::{CASH, Component};
use super::{Attribution, Effects, Group, brinson_fachler};
use crate::decimal::Decimal;
use crate::market::{AssetIx, Market};
use crate::returns::link;
use crate::series::{Day, Walk, Window};
use crate::targets::Dimension;

/// A group with less of the portfolio than this counts as not held: what its profit is a share of would be noise.
const LEAST: f64 = 1e-4;

/// The attribution of a range.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LinkedAttribution {
    /// The opening day, exclusive.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// Returns of the range, and the effects of each group in it.
    #[serde(flatten)]
    pub attribution: Attribution,
    /// What no group explains: profits of a day on which hardly anything was held, such as a fee that empties the cash.
    pub rest: f64,
    /// Each group's weights, averaged over the days, and its returns in the range.
    pub sides: BTreeMap<String, Group>,
}

/// Attributes a window of a walk, whose daily returns these are. `None` after a total loss, where logarithms end.
pub(crate) fn linked(
    walk: &Walk<'_>,
    window: &Window,
    returns: &[f64],
    benchmark: (Dimension, &[Component]),
) -> Option<LinkedAttribution> {
    let (dimension, components) = benchmark;
    let mut sums = Sums::default();
    let (mut before, mut date) = (window.opening, window.from);
    for (turn, (day, value)) in window.days.iter().zip(returns).enumerate() {
        let held = Held::of(walk, (date, before), day, dimension);
        sums.add(*value, &held.beside(components, turn))?;
        (before, date) = (day.nav, day.date);
    }
    Some(sums.linked(window.from, date))
}

/// What the groups of a portfolio had to work with on one day, and what they made of it, in its currency.
struct Held {
    whole: f64,
    groups: BTreeMap<String, (f64, f64)>,
}

impl Held {
    /// Money that comes in counts from the start of its day, money that goes out until its end: for a group as for the whole.
    fn of(walk: &Walk<'_>, before: (Date, Decimal), day: &Day, dimension: Dimension) -> Held {
        let values = |date| walk.values(date).iter().copied().collect();
        let (old, new): (BTreeMap<AssetIx, Decimal>, BTreeMap<_, _>) =
            (values(before.0), values(day.date));
        let whole = before.1 + day.inflow;
        let mut cash = (whole, day.nav - before.1 - day.inflow + day.outflow);
        let mut groups: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        for (asset, profit) in &day.profits {
            let value =
                |of: &BTreeMap<AssetIx, Decimal>| of.get(asset).copied().unwrap_or_default();
            let spent = value(&new) - value(&old) - *profit;
            let capital = value(&old) + spent.max(Decimal::ZERO);
            cash = (cash.0 - capital, cash.1 - *profit);
            let name = group(walk.ledger.market(), *asset, dimension);
            let sums = groups.entry(name).or_default();
            *sums = (sums.0 + capital.to_f64(), sums.1 + profit.to_f64());
        }
        groups.insert(CASH.to_owned(), (cash.0.to_f64(), cash.1.to_f64()));
        Held {
            whole: whole.to_f64(),
            groups,
        }
    }

    /// Weights and returns of both sides. A group that one side lacks has neither there.
    fn beside(&self, components: &[Component], day: usize) -> BTreeMap<String, Group> {
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        for component in components {
            let group = groups.entry(component.group.clone()).or_default();
            group.benchmark_weight = component.weight;
            group.benchmark_return = component.returns[day];
        }
        for (name, (capital, profit)) in &self.groups {
            let weight = capital / self.whole;
            if self.whole > 0.0 && weight.abs() >= LEAST {
                let group = groups.entry(name.clone()).or_default();
                group.portfolio_weight = weight;
                group.portfolio_return = profit / capital;
            }
        }
        groups
    }
}

fn group(market: &Market, asset: AssetIx, dimension: Dimension) -> String {
    let group = dimension.group(market.asset(asset));
    group.unwrap_or("unknown").to_owned()
}

/// The days so far.
struct Sums {
    days: f64,
    portfolio: f64,
    benchmark: f64,
    effects: BTreeMap<String, Effects>,
    sides: BTreeMap<String, Group>,
}

impl Default for Sums {
    fn default() -> Self {
        Sums {
            days: 0.0,
            portfolio: 1.0,
            benchmark: 1.0,
            effects: BTreeMap::new(),
            sides: BTreeMap::new(),
        }
    }
}

impl Sums {
    /// Adds a day; `None` when one side lost all.
    fn add(&mut self, portfolio: f64, groups: &BTreeMap<String, Group>) -> Option<()> {
        let day = brinson_fachler(groups);
        let factor = factor(portfolio, day.benchmark_return)?;
        for (name, effects) in day.groups {
            let sum = self.effects.entry(name).or_default();
            *sum = sum.plus(effects.times(factor));
        }
        for (name, group) in groups {
            let side = self.sides.entry(name.clone()).or_default();
            side.portfolio_weight += group.portfolio_weight;
            side.benchmark_weight += group.benchmark_weight;
            side.portfolio_return = then(side.portfolio_return, group.portfolio_return);
            side.benchmark_return = then(side.benchmark_return, group.benchmark_return);
        }
        self.portfolio *= 1.0 + portfolio;
        self.benchmark *= 1.0 + day.benchmark_return;
        self.days += 1.0;
        Some(())
    }

    fn linked(self, from: Date, to: Date) -> LinkedAttribution {
        let (portfolio_return, benchmark_return) = (self.portfolio - 1.0, self.benchmark - 1.0);
        let overall = factor(portfolio_return, benchmark_return).unwrap_or(1.0);
        let groups: BTreeMap<String, Effects> = self
            .effects
            .into_iter()
            .map(|(name, effects)| (name, effects.times(1.0 / overall)))
            .collect();
        let totals = groups
            .values()
            .copied()
            .fold(Effects::default(), Effects::plus);
        let active_return = portfolio_return - benchmark_return;
        let mut sides = self.sides;
        for side in sides.values_mut() {
            side.portfolio_weight /= self.days;
            side.benchmark_weight /= self.days;
        }
        LinkedAttribution {
            from,
            to,
            rest: active_return - totals.allocation - totals.selection - totals.interaction,
            attribution: Attribution {
                portfolio_return,
                benchmark_return,
                active_return,
                groups,
                totals,
            },
            sides,
        }
    }
}

/// One return after another.
fn then(first: f64, second: f64) -> f64 {
    (1.0 + first) * (1.0 + second) - 1.0
}

/// `(ln(1+p) - ln(1+b)) / (p - b)`; `None` when one of the two lost all.
fn factor(portfolio: f64, benchmark: f64) -> Option<f64> {
    let sound = portfolio > -1.0 && benchmark > -1.0;
    let kept = 1.0 + benchmark;
    sound.then(|| link((portfolio - benchmark) / kept) / kept)
}
