#![allow(clippy::unwrap_used)]

use num_bigint::BigInt;
use proptest::prelude::*;

use super::{Decimal, OutOfRange};

/// `a * b / c` in units of 10^-places, half-even, with arbitrary precision.
fn reference(a: Decimal, b: Decimal, c: Decimal, places: u32) -> BigInt {
    let number = BigInt::from(a.0) * BigInt::from(b.0);
    let by = BigInt::from(c.0) * BigInt::from(10_u64.pow(12 - places));
    let negative = (number < BigInt::ZERO) != (by < BigInt::ZERO);
    let (number, by) = (
        BigInt::from(number.magnitude().clone()),
        BigInt::from(by.magnitude().clone()),
    );
    let (mut quotient, rest) = (&number / &by, &number % &by);
    let twice: BigInt = rest * 2;
    let odd = &quotient % BigInt::from(2) == BigInt::from(1);
    if twice > by || (twice == by && odd) {
        quotient += 1;
    }
    if negative { -quotient } else { quotient }
}

fn value() -> impl Strategy<Value = Decimal> {
    let limit = Decimal::LIMIT.0 - 1;
    prop_oneof![
        (-limit..limit).prop_map(Decimal),
        (-10_i128.pow(20)..10_i128.pow(20)).prop_map(Decimal),
        (-2000_i128..2000).prop_map(|n| Decimal(n * 500_000_000)),
        (-2000_i128..2000).prop_map(Decimal),
    ]
}

proptest! {
    #[test]
    fn product_over_quotient_is_rounded_once(a in value(), b in value(), c in value(), places in prop::sample::select(vec![0_u32, 8, 10, 12])) {
        prop_assume!(!c.is_zero());
        let expected = reference(a, b, c, places) * BigInt::from(10_u64.pow(12 - places));
        let limit = BigInt::from(Decimal::LIMIT.0);
        match a.mul_div(b, c, places) {
            Ok(got) => prop_assert_eq!(BigInt::from(got.0), expected),
            Err(OutOfRange) => {
                let by = BigInt::from(c.0) * BigInt::from(10_u64.pow(12 - places));
                let by_fits = by.magnitude().bits() <= 128;
                prop_assert!(expected >= limit || expected <= -limit || !by_fits);
            }
        }
    }

    #[test]
    fn the_short_ways_round_as_the_long_ones(units in -10_000_000_i64..10_000_000, close in -10_i128.pow(17)..10_i128.pow(17), zeros in 0_u32..12, places in prop::sample::select(vec![0_u32, 8, 10, 12])) {
        let (units, close) = (Decimal::from_int(units), Decimal(close / 10_i128.pow(zeros) * 10_i128.pow(zeros)));
        let expected = reference(units, close, Decimal::ONE, places) * BigInt::from(10_u64.pow(12 - places));
        prop_assert_eq!(BigInt::from(units.mul(close, places).unwrap().0), expected);
        let rounded = reference(close, Decimal::ONE, Decimal::ONE, places) * BigInt::from(10_u64.pow(12 - places));
        prop_assert_eq!(BigInt::from(close.round(places).0), rounded);
        for value in [close, Decimal(close.0 * 1_000), Decimal(close.0 * 100_000)] {
            prop_assert_eq!(value.to_f64().to_bits(), value.large_to_f64().to_bits());
        }
    }

    #[test]
    fn text_round_trips(a in value()) {
        prop_assert_eq!(a.to_string().parse::<Decimal>().unwrap(), a);
    }

    #[test]
    fn the_binary_form_round_trips(a in value()) {
        let form = bincode::config::standard();
        let bytes = bincode::serde::encode_to_vec(a, form).unwrap();
        let read = bincode::serde::decode_from_slice::<Decimal, _>(&bytes, form);
        prop_assert_eq!(read.unwrap(), (a, bytes.len()));
    }

    #[test]
    fn parsing_never_panics(text in ".{0,60}") {
        let _ = text.parse::<Decimal>();
    }

    #[test]
    fn float_is_the_nearest(a in -10_i128.pow(15)..10_i128.pow(15)) {
        let a = Decimal(a);
        prop_assert_eq!(a.to_f64(), a.to_string().parse::<f64>().unwrap());
    }

    #[test]
    fn quotient_text_agrees_with_division(a in -10_i128.pow(20)..10_i128.pow(20), b in 1_i128..10_i128.pow(15)) {
        let (a, b) = (Decimal(a), Decimal(b));
        let text = a.quotient_text(b);
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let sign = if text.starts_with('-') { -1 } else { 1 };
        let scaled: BigInt = format!("{whole}{fraction}").parse::<BigInt>().unwrap().magnitude().clone().into();
        let unit = BigInt::from(10).pow(u32::try_from(fraction.len()).unwrap());
        let distance: BigInt = BigInt::from(a.0) * &unit - scaled * sign * BigInt::from(b.0);
        prop_assert!(BigInt::from(distance.magnitude().clone()) * 2 <= BigInt::from(b.0));
    }

    #[test]
    fn ratios_compare_exactly(a in value(), b in value(), c in value(), d in value()) {
        let left = BigInt::from(a.0.abs()) * BigInt::from(d.0.abs());
        let right = BigInt::from(c.0.abs()) * BigInt::from(b.0.abs());
        prop_assert_eq!(a.cmp_ratio(b, c, d), left.cmp(&right));
    }
}

#[test]
fn canonical_strings() {
    for (text, canonical) in [
        ("0012.500", "12.5"),
        ("-0", "0"),
        (".5", "0.5"),
        ("7.", "7"),
        ("+3", "3"),
        ("-0.00000001", "-0.00000001"),
    ] {
        assert_eq!(text.parse::<Decimal>().unwrap().to_string(), canonical);
    }
}

#[test]
fn refused_texts() {
    for text in [
        "",
        "-",
        ".",
        "1e5",
        "NaN",
        "inf",
        "1,5",
        "١",
        "1.2.3",
        "--1",
        "0.0000000000001",
        "100000000000000000",
    ] {
        assert!(text.parse::<Decimal>().is_err(), "{text}");
    }
}

#[test]
fn half_goes_to_even() {
    let half: Decimal = "0.5".parse().unwrap();
    assert_eq!(Decimal::ONE.mul(half, 0).unwrap(), Decimal::ZERO);
    assert_eq!(
        Decimal::from_int(3).mul(half, 0).unwrap(),
        Decimal::from_int(2)
    );
    assert_eq!(
        "2.5".parse::<Decimal>().unwrap().round(0),
        Decimal::from_int(2)
    );
}

#[test]
fn long_quotients_have_sixty_digits() {
    assert_eq!(
        Decimal::from_int(1).quotient_text(Decimal::from_int(4)),
        "0.25"
    );
    assert_eq!(
        Decimal::from_int(2).quotient_text(Decimal::from_int(3)),
        format!("0.{}7", "6".repeat(59))
    );
}
