//! 256-bit products and their quotients, for [`super::Decimal`] only.

/// A 256-bit number: high and low half. The derived order of the pair is the order of the numbers.
pub(super) type Wide = (u128, u128);

const HALF: u128 = u64::MAX as u128;

/// The full product.
pub(super) fn mul(a: u128, b: u128) -> Wide {
    if let Some(low) = a.checked_mul(b) {
        return (0, low);
    }
    let (a1, a0, b1, b0) = (a >> 64, a & HALF, b >> 64, b & HALF);
    let low = a0 * b0;
    let middle = a1 * b0 + (low >> 64);
    let middle2 = a0 * b1 + (middle & HALF);
    (
        a1 * b1 + (middle >> 64) + (middle2 >> 64),
        (middle2 << 64) | (low & HALF),
    )
}

/// `number / divisor`, half-even; `None` when the divisor is zero or the quotient needs more than 128 bits.
pub(super) fn div_half_even(number: Wide, divisor: u128) -> Option<u128> {
    if divisor == 0 {
        return None;
    }
    let (quotient, rest) = div_rem(number, divisor)?;
    let above = rest > divisor - rest;
    let tie = rest == divisor - rest;
    if above || (tie && quotient & 1 == 1) {
        quotient.checked_add(1)
    } else {
        Some(quotient)
    }
}

fn div_rem((high, low): Wide, divisor: u128) -> Option<(u128, u128)> {
    if high == 0 {
        return Some(div_rem_low(low, divisor));
    }
    if high >= divisor {
        return None;
    }
    Some(long_division(high, low, divisor))
}

/// One division where the machine has it; the rest follows from the quotient.
fn div_rem_low(number: u128, divisor: u128) -> (u128, u128) {
    match (u64::try_from(number), u64::try_from(divisor)) {
        (Ok(number), Ok(divisor)) => ((number / divisor).into(), (number % divisor).into()),
        _ => {
            let quotient = number / divisor;
            (quotient, number - quotient * divisor)
        }
    }
}

/// Binary long division; `high < divisor`, so that the quotient fits.
fn long_division(high: u128, low: u128, divisor: u128) -> (u128, u128) {
    let (mut rest, mut quotient) = (high, 0_u128);
    for bit in (0..128).rev() {
        let carry = rest >> 127;
        rest = (rest << 1) | ((low >> bit) & 1);
        quotient <<= 1;
        if carry == 1 || rest >= divisor {
            rest = rest.wrapping_sub(divisor);
            quotient |= 1;
        }
    }
    (quotient, rest)
}
