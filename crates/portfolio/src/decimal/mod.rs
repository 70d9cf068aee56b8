//! Exact decimals: a 128-bit count of 10^-12, rounded half-even once per product or quotient.
//!
//! Owns parsing, the canonical string and the arithmetic of money, quantities, prices and rates. It does not know
//! currencies or scales of columns; callers say to how many places a product is rounded. Values that enter (by parsing
//! or as a product) are below [`Decimal::LIMIT`], so that only more than 10^9 of them could overflow a sum.

mod convert;
mod small;
mod wide;

use std::cmp::Ordering;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

pub use convert::ParseDecimalError;

/// Places of money.
pub const MONEY: u32 = 8;
/// Places of quantities.
pub const QUANTITY: u32 = 10;
/// Places of exchange rates.
pub const RATE: u32 = 12;

const SCALE: u32 = 12;
const UNIT: i128 = 10_i128.pow(SCALE);
const SUM_FITS: &str = "a sum of fewer than 10^9 values below the limit fits";

/// An exact decimal with twelve places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i128);

/// A product or quotient is not below [`Decimal::LIMIT`], or the divisor is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a product or quotient is too large, or its divisor is zero")]
pub struct OutOfRange;

impl Decimal {
    /// Zero.
    pub const ZERO: Decimal = Decimal(0);
    /// One.
    pub const ONE: Decimal = Decimal(UNIT);
    /// Parsed values and products stay below 10^17 in size.
    pub const LIMIT: Decimal = Decimal(UNIT * 10_i128.pow(17));

    /// A whole number.
    pub const fn from_int(value: i64) -> Decimal {
        Decimal(value as i128 * UNIT)
    }

    /// True for zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// True above zero.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// True below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The size without its sign.
    pub const fn abs(self) -> Decimal {
        Decimal(self.0.abs())
    }

    /// The whole part, towards zero.
    pub const fn trunc(self) -> Decimal {
        Decimal(self.0 - self.0 % UNIT)
    }

    /// Rounded half-even to `places` (at most 12).
    pub fn round(self, places: u32) -> Decimal {
        let small = i64::try_from(self.0).ok();
        if let Some(count) = small.and_then(|count| small::rounded(count, places)) {
            return Decimal(count.into());
        }
        let step = 10_u128.pow(SCALE.saturating_sub(places));
        let count = wide::div_half_even((0, self.0.unsigned_abs()), step)
            .expect("a quotient by one or more fits");
        Decimal(signed(count * step, self.0 < 0))
    }

    /// `self * other`, rounded half-even once to `places`.
    pub fn mul(self, other: Decimal, places: u32) -> Result<Decimal, OutOfRange> {
        // The rate of a currency into itself.
        if other == Decimal::ONE {
            let same = self.round(places);
            return (same.abs() < Self::LIMIT).then_some(same).ok_or(OutOfRange);
        }
        self.mul_div(other, Decimal::ONE, places)
    }

    /// `self / divisor`, rounded half-even once to `places`.
    pub fn div(self, divisor: Decimal, places: u32) -> Result<Decimal, OutOfRange> {
        self.mul_div(Decimal::ONE, divisor, places)
    }

    /// `self * factor / divisor`, rounded half-even once to `places`.
    pub fn mul_div(
        self,
        factor: Decimal,
        divisor: Decimal,
        places: u32,
    ) -> Result<Decimal, OutOfRange> {
        if divisor == Decimal::ONE
            && let Some(product) = self.small_product(factor, places)
        {
            return Ok(product);
        }
        let step = 10_u128.pow(SCALE.saturating_sub(places));
        let (units, unit) = self.over(divisor);
        let product = wide::mul(units, factor.0.unsigned_abs());
        let by = unit.checked_mul(step).ok_or(OutOfRange)?;
        let count = wide::div_half_even(product, by).ok_or(OutOfRange)?;
        let size = count
            .checked_mul(step)
            .filter(|size| *size < Self::LIMIT.0.unsigned_abs())
            .ok_or(OutOfRange)?;
        let negative = (self.0 < 0) ^ (factor.0 < 0) ^ (divisor.0 < 0);
        Ok(Decimal(signed(size, negative)))
    }

    /// Whole units times a factor where 64 bits hold it all, so that it is far below the limit.
    fn small_product(self, factor: Decimal, places: u32) -> Option<Decimal> {
        let (units, factor) = (self.0.try_into().ok()?, factor.0.try_into().ok()?);
        let product = small::whole(units)?.checked_mul(factor)?;
        Some(Decimal(small::rounded(product, places)?.into()))
    }

    /// The sizes of `self` and of a divisor; those of whole units over one without their common zeros, so that what follows
    /// mostly fits 64 bits.
    fn over(self, divisor: Decimal) -> (u128, u128) {
        const UNIT_64: u64 = 10_u64.pow(SCALE);
        match u64::try_from(self.0.unsigned_abs()) {
            Ok(size) if divisor == Decimal::ONE && size.is_multiple_of(UNIT_64) => {
                ((size / UNIT_64).into(), 1)
            }
            _ => (self.0.unsigned_abs(), divisor.0.unsigned_abs()),
        }
    }

    /// Compares `self / a` with `other / b` exactly, signs left out.
    pub fn cmp_ratio(self, a: Decimal, other: Decimal, b: Decimal) -> Ordering {
        let left = wide::mul(self.0.unsigned_abs(), b.0.unsigned_abs());
        let right = wide::mul(other.0.unsigned_abs(), a.0.unsigned_abs());
        left.cmp(&right)
    }
}

/// The size given a sign; sizes come from values that were `i128`, or are below the limit.
fn signed(size: u128, negative: bool) -> i128 {
    let size = i128::try_from(size).expect("a size below the limit fits");
    if negative { -size } else { size }
}

impl Add for Decimal {
    type Output = Decimal;
    fn add(self, other: Decimal) -> Decimal {
        Decimal(self.0.checked_add(other.0).expect(SUM_FITS))
    }
}

impl Sub for Decimal {
    type Output = Decimal;
    fn sub(self, other: Decimal) -> Decimal {
        Decimal(self.0.checked_sub(other.0).expect(SUM_FITS))
    }
}

impl Neg for Decimal {
    type Output = Decimal;
    fn neg(self) -> Decimal {
        Decimal(-self.0)
    }
}

impl AddAssign for Decimal {
    fn add_assign(&mut self, other: Decimal) {
        *self = *self + other;
    }
}

impl SubAssign for Decimal {
    fn sub_assign(&mut self, other: Decimal) {
        *self = *self - other;
    }
}

impl Sum for Decimal {
    fn sum<I: Iterator<Item = Decimal>>(values: I) -> Decimal {
        values.fold(Decimal::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests;
