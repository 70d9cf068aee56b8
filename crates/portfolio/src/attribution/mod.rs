//! Brinson-Fachler attribution: why a portfolio and its benchmark differ, by group.
//!
//! Here is the arithmetic of a single period. [`mix`] is a benchmark that is put together from indices, [`linked`] joins the days
//! of a range.

pub mod linked;
pub mod mix;

use std::collections::BTreeMap;

use serde::Serialize;

/// A group's weights and returns, as fractions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Group {
    /// Its share of the portfolio.
    pub portfolio_weight: f64,
    /// Its share of the benchmark.
    pub benchmark_weight: f64,
    /// What it returned in the portfolio.
    pub portfolio_return: f64,
    /// What it returned in the benchmark.
    pub benchmark_return: f64,
}

/// How a group, or all of them, explains the active return.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Effects {
    /// From holding more or less of the group than the benchmark.
    pub allocation: f64,
    /// From picking other assets within the group.
    pub selection: f64,
    /// From both at once.
    pub interaction: f64,
}

/// The active return and its parts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attribution {
    pub portfolio_return: f64,
    pub benchmark_return: f64,
    /// Portfolio less benchmark; the totals add up to it when both sides' weights add up to 1.
    pub active_return: f64,
    pub groups: BTreeMap<String, Effects>,
    pub totals: Effects,
}

/// Attributes the active return to groups; a group that one side lacks has weight 0 there.
pub fn brinson_fachler(groups: &BTreeMap<String, Group>) -> Attribution {
    let portfolio_return = groups
        .values()
        .map(|group| group.portfolio_weight * group.portfolio_return)
        .sum::<f64>();
    let benchmark_return = groups
        .values()
        .map(|group| group.benchmark_weight * group.benchmark_return)
        .sum::<f64>();
    let groups: BTreeMap<String, Effects> = groups
        .iter()
        .map(|(name, group)| (name.clone(), group.effects(benchmark_return)))
        .collect();
    Attribution {
        portfolio_return,
        benchmark_return,
        active_return: portfolio_return - benchmark_return,
        totals: groups
            .values()
            .copied()
            .fold(Effects::default(), Effects::plus),
        groups,
    }
}

impl Group {
    fn effects(&self, benchmark_return: f64) -> Effects {
        let overweight = self.portfolio_weight - self.benchmark_weight;
        let outperformance = self.portfolio_return - self.benchmark_return;
        Effects {
            allocation: overweight * (self.benchmark_return - benchmark_return),
            selection: self.benchmark_weight * outperformance,
            interaction: overweight * outperformance,
        }
    }
}

impl Effects {
    fn times(self, factor: f64) -> Effects {
        Effects {
            allocation: self.allocation * factor,
            selection: self.selection * factor,
            interaction: self.interaction * factor,
        }
    }

    fn plus(self, other: Effects) -> Effects {
        Effects {
            allocation: self.allocation + other.allocation,
            selection: self.selection + other.selection,
            interaction: self.interaction + other.interaction,
        }
    }
}
