//! The money-weighted return: all roots of `sum cf * (1+r)^(-days/365)` between -99.9999 % and 10^8 %.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::dates::days_between;

/// Whether there is a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum XirrStatus {
    /// Exactly one root.
    Ok,
    /// Several roots; the one nearest to zero is the rate.
    MultipleRoots,
    /// No root in the searched range.
    NoRoot,
    /// All flows have one sign.
    NoSignChange,
}

/// The rates that make the flows worth nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Xirr {
    /// Whether there is a rate.
    pub status: XirrStatus,
    /// The annual rate; `None` without a root.
    pub rate: Option<f64>,
    /// Every root found, ascending.
    pub roots: Vec<f64>,
    /// The rate over the whole period; set by [`Xirr::over`].
    pub period: Option<f64>,
}

/// Steps of at most 0.01 in `u = ln(1 + r)`.
const STEPS: u32 = 2764;

/// Solves for the rate. Flows may come in any order; those of one day are netted.
pub fn xirr(flows: &[(Date, f64)]) -> Xirr {
    let terms = terms(flows);
    let positive = terms.iter().any(|(_, amount)| *amount > 0.0);
    let negative = terms.iter().any(|(_, amount)| *amount < 0.0);
    if !(positive && negative) {
        return Xirr::without(XirrStatus::NoSignChange);
    }
    let roots = roots(&terms);
    let nearest = |a: &&f64, b: &&f64| a.abs().total_cmp(&b.abs()).then(b.total_cmp(a));
    let Some(best) = roots.iter().min_by(nearest) else {
        return Xirr::without(XirrStatus::NoRoot);
    };
    let status = if roots.len() == 1 {
        XirrStatus::Ok
    } else {
        XirrStatus::MultipleRoots
    };
    Xirr {
        status,
        rate: Some(best.exp_m1()),
        roots: roots.iter().map(|u| u.exp_m1()).collect(),
        period: None,
    }
}

impl Xirr {
    fn without(status: XirrStatus) -> Xirr {
        Xirr {
            status,
            rate: None,
            roots: Vec::new(),
            period: None,
        }
    }

    /// Adds the rate over `days`.
    pub fn over(mut self, days: i64) -> Xirr {
        self.period = self
            .rate
            .map(|rate| (1.0 + rate).powf(days as f64 / 365.0) - 1.0);
        self
    }
}

/// Years since the first flow and net amount, without zeros.
fn terms(flows: &[(Date, f64)]) -> Vec<(f64, f64)> {
    let mut sorted = flows.to_vec();
    sorted.sort_by_key(|(date, _)| *date);
    let days = sorted.chunk_by(|a, b| a.0 == b.0);
    let net = days.map(|day| (day[0].0, day.iter().map(|(_, amount)| amount).sum::<f64>()));
    let net: Vec<(Date, f64)> = net.filter(|(_, amount)| *amount != 0.0).collect();
    let Some((first, _)) = net.first().copied() else {
        return Vec::new();
    };
    net.into_iter()
        .map(|(date, amount)| (days_between(first, date) as f64 / 365.0, amount))
        .collect()
}

fn present_value(terms: &[(f64, f64)], u: f64) -> f64 {
    terms
        .iter()
        .map(|(years, amount)| amount * (-u * years).exp())
        .sum()
}

/// The present value and its slope in `u`.
fn value_and_slope(terms: &[(f64, f64)], u: f64) -> (f64, f64) {
    let parts = terms.iter().map(|(years, amount)| {
        let part = amount * (-u * years).exp();
        (part, -years * part)
    });
    parts.fold((0.0, 0.0), |sums, part| (sums.0 + part.0, sums.1 + part.1))
}

/// A step of the search as `u`.
fn at(step: u32) -> f64 {
    let (low, high) = (1e-6_f64.ln(), 1e6_f64.ln());
    low + (high - low) * f64::from(step) / f64::from(STEPS)
}

/// Amounts that change their sign once have one root at most, by Descartes' rule; others are searched step by step.
fn roots(terms: &[(f64, f64)]) -> Vec<f64> {
    let signs = terms.windows(2).filter(|pair| pair[0].1 * pair[1].1 < 0.0);
    if signs.count() == 1 {
        only_root(terms).into_iter().collect()
    } else {
        all_roots(terms)
    }
}

fn only_root(terms: &[(f64, f64)]) -> Option<f64> {
    let value = |step| present_value(terms, at(step));
    // Where there is one root at most, one that was found is the one.
    if let Some(step) = guess(terms).filter(|step| *step < STEPS) {
        let (below, above) = (value(step), value(step + 1));
        if below * above < 0.0 {
            return Some(refine(terms, (at(step), below), at(step + 1)));
        }
    }
    let (mut low, mut high) = (0, STEPS);
    let (mut below, above) = (value(low), value(high));
    if below * above > 0.0 {
        return None;
    }
    if above == 0.0 {
        return Some(at(high));
    }
    while below != 0.0 && high - low > 1 {
        let middle = (low + high) / 2;
        let between = value(middle);
        if below * between < 0.0 {
            high = middle;
        } else {
            (low, below) = (middle, between);
        }
    }
    let exact = below == 0.0;
    Some(if exact {
        at(low)
    } else {
        refine(terms, (at(low), below), at(high))
    })
}

/// The step below which a root probably lies next, by Newton's method from zero.
fn guess(terms: &[(f64, f64)]) -> Option<u32> {
    /// A step of the method after which the cell of the search is known, mostly.
    const NEAR: f64 = 1e-3;
    let mut u = 0.0;
    for _ in 0..8 {
        let (value, slope) = value_and_slope(terms, u);
        let step = value / slope;
        u -= step;
        if !(at(0)..at(STEPS)).contains(&u) {
            return None;
        }
        if step.abs() < NEAR {
            break;
        }
    }
    let share = (u - at(0)) / (at(STEPS) - at(0));
    Some((share * f64::from(STEPS)) as u32)
}

fn all_roots(terms: &[(f64, f64)]) -> Vec<f64> {
    let mut found = Vec::new();
    let mut left = (at(0), present_value(terms, at(0)));
    for step in 0..=STEPS {
        if left.1 == 0.0 {
            found.push(left.0);
        }
        if step == STEPS {
            break;
        }
        let right = (at(step + 1), present_value(terms, at(step + 1)));
        if left.1 * right.1 < 0.0 {
            found.push(refine(terms, left, right.0));
        }
        left = right;
    }
    found
}

/// Newton's method within a bracket, which it halves where it would leave it.
fn refine(terms: &[(f64, f64)], (mut low, at_low): (f64, f64), mut high: f64) -> f64 {
    /// Relative to the root, or to this root where it is nearer to zero, the last digit.
    const SMALL: f64 = 0.1;
    let mut u = (low + high) / 2.0;
    for _ in 0..200 {
        let (value, slope) = value_and_slope(terms, u);
        if value == 0.0 {
            break;
        }
        if at_low * value < 0.0 {
            high = u;
        } else {
            low = u;
        }
        let newton = u - value / slope;
        let inside = low < newton && newton < high;
        let before = u;
        u = if inside { newton } else { (low + high) / 2.0 };
        if (u - before).abs() <= 2.0 * f64::EPSILON * u.abs().max(SMALL) {
            break;
        }
    }
    u
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::civil::date;

    use super::{XirrStatus, xirr};

    #[test]
    fn two_roots_are_listed_and_the_nearest_to_zero_is_the_rate() {
        let flows = [
            (date(2021, 1, 1), -1000.0),
            (date(2022, 1, 1), 2500.0),
            (date(2023, 1, 1), -1540.0),
        ];
        let result = xirr(&flows);
        assert_eq!(result.status, XirrStatus::MultipleRoots);
        assert!((result.rate.unwrap() - 0.1).abs() < 1e-9);
        assert!((result.roots[1] - 0.4).abs() < 1e-9);
    }

    #[test]
    fn one_change_of_sign_is_solved_as_by_the_whole_search() {
        for (growth, later) in [(0.4, 3), (0.97, 11), (1.0, 7), (1.9, 400), (30.0, 1000)] {
            let mut flows: Vec<(jiff::civil::Date, f64)> = (0..20)
                .map(|month| (date(2010 + month / 12, 1 + (month % 12) as i8, 3), -100.0))
                .collect();
            let last = date(2012, 1, 1).saturating_add(jiff::ToSpan::days(i64::from(later)));
            flows.push((last, 2_000.0 * growth));
            let terms = super::terms(&flows);
            let (one, all) = (super::only_root(&terms), super::all_roots(&terms));
            assert_eq!(all, one.into_iter().collect::<Vec<f64>>());
        }
    }

    #[test]
    fn the_rate_of_the_period_compounds_the_annual_one() {
        let flows = [(date(2021, 1, 1), -100.0), (date(2022, 1, 1), 121.0)];
        let half = xirr(&flows).over(182);
        assert!((half.period.unwrap() - 1.21_f64.powf(182.0 / 365.0) + 1.0).abs() < 1e-9);
    }
}
