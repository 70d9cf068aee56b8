//! Means, deviations and the shape of a distribution.

use wide::f64x4;

use super::EPSILON;
use super::ends::{Stretch, whole};
use crate::lanes::{sum, sums, sums_of_pairs};

/// The mean and the sums of the powers of what lies off it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    count: f64,
    pub(super) mean: f64,
    second: f64,
    third: f64,
    fourth: f64,
}

impl Moments {
    pub(super) fn of(values: &[f64]) -> Moments {
        whole(values.len(), |part| Moments::of_few(&values[part]))
    }

    /// Of values that are summed up together.
    fn of_few(values: &[f64]) -> Moments {
        Moments::around(values, sum(values, |value| value) / values.len() as f64)
    }

    /// The same with their mean.
    #[inline(always)]
    pub(super) fn around(values: &[f64], mean: f64) -> Moments {
        let middle = f64x4::splat(mean);
        let [second, third, fourth] = sums(values, |value| {
            let off = value - middle;
            let square = off * off;
            [square, square * off, square * square]
        });
        Moments {
            count: values.len() as f64,
            mean,
            second,
            third,
            fourth,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count as usize
    }

    /// The sample deviation (n - 1); `None` below two values.
    pub(super) fn deviation(&self) -> Option<f64> {
        (self.count > 1.0).then(|| (self.second / (self.count - 1.0)).sqrt())
    }

    /// Bias-corrected skewness; `None` below three values or without spread.
    pub(super) fn skewness(&self) -> Option<f64> {
        let n = self.count;
        if n < 3.0 || self.is_flat() {
            return None;
        }
        let spread = self.second * self.second.sqrt();
        Some(n * (n - 1.0).sqrt() / (n - 2.0) * self.third / spread)
    }

    /// Bias-corrected excess kurtosis; `None` below four values or without spread.
    pub(super) fn kurtosis(&self) -> Option<f64> {
        let n = self.count;
        if n < 4.0 || self.is_flat() {
            return None;
        }
        let ratio = self.fourth / (self.second * self.second);
        let pairs = (n - 2.0) * (n - 3.0);
        Some(n * (n + 1.0) * (n - 1.0) / pairs * ratio - 3.0 * (n - 1.0).powi(2) / pairs)
    }

    fn is_flat(&self) -> bool {
        self.deviation()
            .is_none_or(|deviation| deviation <= EPSILON)
    }
}

/// Pébay's update of sums of powers off a mean.
impl Stretch for Moments {
    fn and(self, later: Moments) -> Moments {
        let (a, b) = (self.count, later.count);
        let count = a + b;
        let apart = later.mean - self.mean;
        let step = apart / count;
        let joined = apart * step * a * b;
        let third = joined * step * (a - b) + 3.0 * step * (a * later.second - b * self.second);
        let fourth = joined * step * step * (a * a - a * b + b * b)
            + 6.0 * step * step * (a * a * later.second + b * b * self.second)
            + 4.0 * step * (a * later.third - b * self.third);
        Moments {
            count,
            mean: self.mean + step * b,
            second: self.second + later.second + joined,
            third: self.third + later.third + third,
            fourth: self.fourth + later.fourth + fourth,
        }
    }
}

/// What two equally long lists come to together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Joint {
    count: f64,
    means: [f64; 2],
    squares: [f64; 2],
    products: f64,
    /// The squares of the first less the second.
    apart: f64,
}

impl Joint {
    /// Of pairs that are summed up together.
    #[inline(always)]
    pub(super) fn of_few(a: &[f64], b: &[f64]) -> Joint {
        let count = a.len() as f64;
        let means = sums_of_pairs(a, b, |a, b| [a, b]).map(|sum| sum / count);
        let middles = means.map(f64x4::splat);
        let [squares_a, squares_b, products, apart] = sums_of_pairs(a, b, |a, b| {
            let (off_a, off_b) = (a - middles[0], b - middles[1]);
            let apart = off_a - off_b;
            [off_a * off_a, off_b * off_b, off_a * off_b, apart * apart]
        });
        Joint {
            count,
            means,
            squares: [squares_a, squares_b],
            products,
            apart,
        }
    }

    pub(super) fn means(&self) -> [f64; 2] {
        self.means
    }

    /// Of the sample (n - 1), as all that follows.
    pub(super) fn deviations(&self) -> [f64; 2] {
        self.squares.map(|squares| (squares / self.others()).sqrt())
    }

    pub(super) fn covariance(&self) -> f64 {
        self.products / self.others()
    }

    /// The deviation of the first less the second.
    pub(super) fn difference(&self) -> f64 {
        (self.apart / self.others()).sqrt()
    }

    /// Covariance over the variance of the second list; `None` when that does not vary.
    pub(super) fn beta(&self) -> Option<f64> {
        let [_, spread] = self.deviations();
        (spread > EPSILON).then(|| self.covariance() / (spread * spread))
    }

    fn others(&self) -> f64 {
        self.count - 1.0
    }
}

impl Stretch for Joint {
    fn and(self, later: Joint) -> Joint {
        let count = self.count + later.count;
        let share = later.count / count;
        let weight = self.count * share;
        let apart = [0, 1].map(|list| later.means[list] - self.means[list]);
        let difference = apart[0] - apart[1];
        Joint {
            count,
            means: [0, 1].map(|list| self.means[list] + apart[list] * share),
            squares: [0, 1].map(|list| {
                self.squares[list] + later.squares[list] + apart[list] * apart[list] * weight
            }),
            products: self.products + later.products + apart[0] * apart[1] * weight,
            apart: self.apart + later.apart + difference * difference * weight,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Joint, Moments};
    use crate::metrics::ends::whole;

    /// Equal but for what the order of additions makes of sums of such terms.
    fn near(found: f64, terms: impl Iterator<Item = f64>) -> Result<(), TestCaseError> {
        let (mut sum, mut size) = (0.0, 0.0);
        for term in terms {
            sum += term;
            size += term.abs();
        }
        prop_assert!((found - sum).abs() <= 1e-12 * size, "{found} is not {sum}");
        Ok(())
    }

    proptest! {
        #[test]
        fn blocks_join_to_the_whole(pairs in prop::collection::vec((-0.5_f64..0.5, -0.5_f64..0.5), 1..400), level in prop_oneof![Just(0.0), Just(1.0)]) {
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.iter().map(|(a, b)| (a + level, *b)).unzip();
            let count = a.len() as f64;
            let mean = a.iter().sum::<f64>() / count;
            let mean_b = b.iter().sum::<f64>() / count;
            let off = || a.iter().map(|value| value - mean);
            let moments = Moments::of(&a);
            near(moments.second, off().map(|off| off.powi(2)))?;
            near(moments.third, off().map(|off| off.powi(3)))?;
            near(moments.fourth, off().map(|off| off.powi(4)))?;
            let joint = whole(a.len(), |part| Joint::of_few(&a[part.clone()], &b[part]));
            let off_b = || b.iter().map(|value| value - mean_b);
            near(joint.squares[1], off_b().map(|off| off * off))?;
            near(joint.products, off().zip(off_b()).map(|(a, b)| a * b))?;
            near(joint.apart, off().zip(off_b()).map(|(a, b)| (a - b).powi(2)))?;
        }
    }
}
