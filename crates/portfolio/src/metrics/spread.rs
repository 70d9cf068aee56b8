//! What one pass over returns tells: how they lie around their mean and around the minimum return, and what they compound to.

use wide::f64x4;

use super::ends::Stretch;
use super::moments::Moments;
use crate::lanes::{outermost, product, sums};

/// Of some returns in a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    pub(super) moments: Moments,
    /// The squares of what lies below the minimum return.
    pub(super) below: f64,
    /// What lies above it.
    pub(super) gains: f64,
    /// What lies below it.
    pub(super) losses: f64,
    /// How many are above zero.
    pub(super) positive: f64,
    /// What they make of one.
    pub(super) wealth: f64,
    pub(super) least: Extreme,
    pub(super) most: Extreme,
}

/// The least or greatest of some returns in a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extreme {
    pub(super) value: f64,
    /// It is the first such one of the last so many.
    within: usize,
}

impl Spread {
    /// Of a few returns, of which there is at least one.
    #[inline(always)]
    pub(super) fn of(returns: &[f64], minimum: f64) -> Spread {
        let (least_wanted, zero) = (f64x4::splat(minimum), f64x4::ZERO);
        let [sum, below, gains, losses, positive] = sums(returns, |value| {
            let off = value - least_wanted;
            let short = off.fast_min(zero);
            let positive = value.simd_gt(zero).select(f64x4::ONE, zero);
            [value, short * short, off.fast_max(zero), -short, positive]
        });
        let [least, most] = outermost(returns);
        let extreme = |value| Extreme {
            value,
            within: returns.len(),
        };
        Spread {
            moments: Moments::around(returns, sum / returns.len() as f64),
            below,
            gains,
            losses,
            positive,
            wealth: product(returns, |value| value + 1.0),
            least: extreme(least),
            most: extreme(most),
        }
    }
}

impl Stretch for Spread {
    fn and(self, later: Spread) -> Spread {
        let count = later.moments.count();
        let earlier = |extreme: Extreme| Extreme {
            within: extreme.within + count,
            ..extreme
        };
        Spread {
            moments: self.moments.and(later.moments),
            below: self.below + later.below,
            gains: self.gains + later.gains,
            losses: self.losses + later.losses,
            positive: self.positive + later.positive,
            wealth: self.wealth * later.wealth,
            least: match later.least.value < self.least.value {
                true => later.least,
                false => earlier(self.least),
            },
            most: match later.most.value > self.most.value {
                true => later.most,
                false => earlier(self.most),
            },
        }
    }
}

impl Extreme {
    /// Where it is in the list.
    pub(super) fn place(&self, returns: &[f64]) -> usize {
        let start = returns.len() - self.within;
        let found = returns[start..]
            .iter()
            .position(|value| *value == self.value);
        start + found.unwrap_or_default()
    }
}
