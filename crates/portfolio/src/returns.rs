//! Daily returns of a window, the time-weighted return, and what each asset contributed to it.

use std::borrow::Cow;

use compact_str::{CompactString, format_compact};
use jiff::civil::Date;
use litemap::LiteMap;
use serde::{Deserialize, Serialize};
use wide::f64x4;

use crate::decimal::Decimal;
use crate::market::AssetIx;
use crate::money::Currency;
use crate::series::{Day, Window};

/// Daily returns; undefined from the day equity was not positive.
#[derive(Clone, Debug)]
pub struct Returns<'d> {
    /// The days.
    pub dates: Cow<'d, [Date]>,
    /// One return a day; NaN where the denominator was not positive.
    pub values: Cow<'d, [f64]>,
    /// The first day on which equity was not positive.
    pub broken: Option<Date>,
}

/// `CASH` in [`contributions`]: cash interest, fees, and currency gains on cash.
pub const CASH: &str = "CASH";

/// Cash of one currency among values by symbol.
pub(crate) fn cash_of(currency: Currency) -> CompactString {
    format_compact!("{CASH}:{currency}")
}

impl<'d> Returns<'d> {
    /// Of days on which equity stayed positive.
    pub(crate) fn sound(dates: &'d [Date], values: impl Into<Cow<'d, [f64]>>) -> Returns<'d> {
        Returns {
            dates: Cow::Borrowed(dates),
            values: values.into(),
            broken: None,
        }
    }

    /// `r = (V + out) / (V_prev + in) - 1` for each day.
    pub fn of(window: &Window) -> Returns<'static> {
        let mut previous = window.opening;
        let (mut dates, mut values, mut broken) = (Vec::new(), Vec::new(), None);
        for day in &window.days {
            let (denominator, numerator) = (previous + day.inflow, day.nav + day.outflow);
            let value = if denominator.is_positive() {
                Some(numerator.to_f64() / denominator.to_f64() - 1.0)
            } else if denominator.is_zero() && numerator.is_zero() {
                Some(0.0)
            } else {
                None
            };
            if value.is_none() || (denominator.is_positive() && numerator.is_negative()) {
                broken = broken.or(Some(day.date));
            }
            dates.push(day.date);
            values.push(value.unwrap_or(f64::NAN));
            previous = day.nav;
        }
        Returns {
            dates: Cow::Owned(dates),
            values: Cow::Owned(values),
            broken,
        }
    }

    /// The returns when every day has one and equity stayed positive.
    pub fn unbroken(&self) -> Option<&[f64]> {
        self.broken.is_none().then_some(&self.values)
    }
}

/// What each asset added to the time-weighted return of `returns`, linked with `k_t/K`, `k = ln(1+r)/r`, so that the
/// parts add up to it. `None` after a total loss, where logarithms end.
pub fn contributions(window: &Window, returns: &[f64]) -> Option<LiteMap<Part, f64>> {
    let total = crate::metrics::compound(returns);
    if total <= -1.0 || returns.iter().any(|value| 1.0 + value <= 0.0) {
        return None;
    }
    let overall = link(total);
    let mut parts: LiteMap<Part, f64> = LiteMap::new();
    let mut previous = window.opening;
    for (day, value) in window.days.iter().zip(returns) {
        let denominator = previous + day.inflow;
        if denominator.is_positive() {
            let weight = link(*value) / overall / denominator.to_f64();
            add_day(&mut parts, day, previous, weight);
        }
        previous = day.nav;
    }
    Some(parts)
}

/// An asset, or the cash that remains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Part {
    Asset(AssetIx),
    Cash,
}

fn add_day(parts: &mut LiteMap<Part, f64>, day: &Day, previous: Decimal, weight: f64) {
    let mut rest = day.nav - previous - day.inflow + day.outflow;
    for (asset, profit) in &day.profits {
        rest -= *profit;
        *parts.entry(Part::Asset(*asset)).or_default() += profit.to_f64() * weight;
    }
    *parts.entry(Part::Cash).or_default() += rest.to_f64() * weight;
}

/// Up to here the terms that [`small_links`] leaves out are below the last digit.
const SMALL: f64 = 0.1;

/// `ln(1 + value) / value`, which joins the profits of days to that of a period.
pub(crate) fn link(value: f64) -> f64 {
    if value.abs() > SMALL {
        return value.ln_1p() / value;
    }
    let [link, ..] = small_links(f64x4::splat(value)).to_array();
    link
}

/// The links of some values, as [`link`] says.
pub(crate) fn links(values: &[f64]) -> Vec<f64> {
    let mut links = Vec::with_capacity(values.len());
    let (chunks, rest) = values.as_chunks::<4>();
    for chunk in chunks {
        let small = chunk.iter().all(|value| value.abs() <= SMALL);
        links.extend(match small {
            true => small_links(f64x4::from(*chunk)).to_array(),
            false => chunk.map(link),
        });
    }
    links.extend(rest.iter().map(|value| link(*value)));
    links
}

/// Of values up to [`SMALL`], by the series of the inverse hyperbolic tangent.
fn small_links(values: f64x4) -> f64x4 {
    const COEFFICIENTS: [f64; 8] = [15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0];
    let half = f64x4::ONE / (values + 2.0);
    let ratio = values * half;
    let square = ratio * ratio;
    let series = COEFFICIENTS
        .into_iter()
        .fold(f64x4::ZERO, |sum, odd| sum * square + 1.0 / odd);
    half * 2.0 * series
}

#[cfg(test)]
mod tests {
    use super::{link, links};

    #[test]
    fn links_are_those_of_the_logarithm() {
        assert_eq!(link(0.0), 1.0);
        for step in -2_000..2_000 {
            let value = f64::from(step) * 1e-3 + 1e-7;
            assert!(
                links(&[value; 5])
                    .iter()
                    .all(|joined| joined.to_bits() == link(value).to_bits())
            );
            if value > -0.999 {
                let exact = value.ln_1p() / value;
                assert!((link(value) - exact).abs() <= 1e-15 * exact, "{value}");
            }
        }
    }
}
