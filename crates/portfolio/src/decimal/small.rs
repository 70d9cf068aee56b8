//! Counts of 10^-12 that 64 bits hold, as most are: divided by constants, which is much quicker than what 128 bits need.

use super::{MONEY, SCALE};

const UNIT: i64 = 10_i64.pow(SCALE);
/// Up to here floats hold every whole number.
const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;

/// Whole units; `None` when there is a part of one.
pub(super) fn whole(count: i64) -> Option<i64> {
    (count % UNIT == 0).then_some(count / UNIT)
}

/// Rounded half-even to `places` (at most 12); `None` beyond 64 bits.
pub(super) fn rounded(count: i64, places: u32) -> Option<i64> {
    /// That of money, which nearly all is.
    const STEP: i64 = 10_i64.pow(SCALE - MONEY);
    if places == MONEY {
        rounded_to(count, STEP)
    } else {
        rounded_to(count, 10_i64.pow(SCALE.saturating_sub(places)))
    }
}

#[inline]
fn rounded_to(count: i64, step: i64) -> Option<i64> {
    let (steps, rest) = (count / step, count % step);
    let twice = rest.abs() * 2;
    let away = twice > step || (twice == step && steps % 2 != 0);
    let steps = if away { steps + count.signum() } else { steps };
    steps.checked_mul(step)
}

/// `digits / scale`, a power of ten of at most 10^12: exactly rounded where the digits without their zeros fit 53 bits.
pub(super) fn to_f64(digits: i64, scale: i64) -> f64 {
    let shorter = shortened::<1_000_000>((digits, scale));
    let shorter = shortened::<10>(shortened::<100>(shortened::<1_000>(shorter)));
    shorter.0 as f64 / shorter.1 as f64
}

/// Without some zeros, as often as there are more digits than floats hold.
#[inline]
fn shortened<const STEP: i64>((mut digits, mut scale): (i64, i64)) -> (i64, i64) {
    while digits.unsigned_abs() > EXACT && scale % STEP == 0 && digits % STEP == 0 {
        (digits, scale) = (digits / STEP, scale / STEP);
    }
    (digits, scale)
}
