//! Sums over contiguous floats. They are kept in several lanes, so that additions do not wait for each other; always the
//! same lanes in the same order, so that equal input gives equal bits.

use wide::f64x4;

const LANES: usize = 4;

/// The values of some lanes; those after the last whole ones are told apart.
fn lanes<T: Copy + Into<f64>>(values: &[T]) -> (impl Iterator<Item = f64x4>, &[T]) {
    let (chunks, rest) = values.as_chunks::<LANES>();
    (chunks.iter().map(|chunk| four(*chunk)), rest)
}

#[inline(always)]
fn four<T: Into<f64>>(values: [T; LANES]) -> f64x4 {
    f64x4::from(values.map(Into::into))
}

fn first(lanes: f64x4) -> f64 {
    lanes.to_array()[0]
}

/// The sum of a term for each value.
#[inline(always)]
pub(crate) fn sum(values: &[f64], term: impl Fn(f64x4) -> f64x4) -> f64 {
    let [sum] = sums(values, |value| [term(value)]);
    sum
}

/// The sums of some terms for each value, in one pass.
#[inline(always)]
pub(crate) fn sums<const N: usize>(
    values: &[f64],
    terms: impl Fn(f64x4) -> [f64x4; N],
) -> [f64; N] {
    let mut sums = [f64x4::ZERO; N];
    let (whole, rest) = lanes(values);
    for values in whole {
        add(&mut sums, terms(values));
    }
    let rest = rest.iter().map(|value| terms(f64x4::splat(*value)));
    added(sums, rest)
}

/// The sums of some terms for each pair of values, in one pass; both lists are equally long.
#[inline(always)]
pub(crate) fn sums_of_pairs<T: Copy + Into<f64>, const N: usize>(
    a: &[f64],
    b: &[T],
    terms: impl Fn(f64x4, f64x4) -> [f64x4; N],
) -> [f64; N] {
    let mut sums = [f64x4::ZERO; N];
    let ((a, rest_a), (b, rest_b)) = (lanes(a), lanes(b));
    for (a, b) in a.zip(b) {
        add(&mut sums, terms(a, b));
    }
    let rest = rest_a.iter().zip(rest_b);
    added(
        sums,
        rest.map(|(a, b)| terms(f64x4::splat(*a), f64x4::splat((*b).into()))),
    )
}

#[inline(always)]
fn add<const N: usize>(sums: &mut [f64x4; N], terms: [f64x4; N]) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum += term;
    }
}

/// The lanes of sums put together, and the terms of the values that are left.
#[inline(always)]
fn added<const N: usize>(sums: [f64x4; N], rest: impl Iterator<Item = [f64x4; N]>) -> [f64; N] {
    let mut sums = sums.map(|lanes| lanes.to_array().iter().sum::<f64>());
    for terms in rest {
        for (sum, term) in sums.iter_mut().zip(terms) {
            *sum += first(term);
        }
    }
    sums
}

/// The product of a factor for each value.
#[inline(always)]
pub(crate) fn product(values: &[f64], factor: impl Fn(f64x4) -> f64x4) -> f64 {
    let [product] = products_of_pairs(values, values, |value, _| [factor(value)]);
    product
}

/// The products of some factors for each pair of values, in one pass; both lists are equally long.
#[inline(always)]
pub(crate) fn products_of_pairs<const N: usize>(
    a: &[f64],
    b: &[f64],
    factors: impl Fn(f64x4, f64x4) -> [f64x4; N],
) -> [f64; N] {
    let mut products = [f64x4::ONE; N];
    let ((a, rest_a), (b, rest_b)) = (lanes(a), lanes(b));
    for (a, b) in a.zip(b) {
        for (product, factor) in products.iter_mut().zip(factors(a, b)) {
            *product *= factor;
        }
    }
    let mut products = products.map(|lanes| lanes.to_array().iter().product::<f64>());
    for (a, b) in rest_a.iter().zip(rest_b) {
        let factors = factors(f64x4::splat(*a), f64x4::splat(*b));
        for (product, factor) in products.iter_mut().zip(factors) {
            *product *= first(factor);
        }
    }
    products
}

/// The least and the greatest of some values, of which there is at least one.
#[inline(always)]
pub(crate) fn outermost(values: &[f64]) -> [f64; 2] {
    let (mut least, mut most) = (f64x4::splat(values[0]), f64x4::splat(values[0]));
    let (whole, rest) = lanes(values);
    for values in whole {
        least = least.fast_min(values);
        most = most.fast_max(values);
    }
    let left = |lanes: f64x4| lanes.to_array().into_iter().chain(rest.iter().copied());
    let less = |a: f64, b: f64| if b < a { b } else { a };
    let more = |a: f64, b: f64| if b > a { b } else { a };
    [
        left(least).fold(values[0], less),
        left(most).fold(values[0], more),
    ]
}

/// `sum(weights[i] * column[i])` of four columns, each of which is as long as the weights.
pub(crate) fn dots<T: Copy + Into<f64>>(weights: &[f64], columns: [&[T]; 4]) -> [f64; 4] {
    let mut sums = [f64x4::ZERO; 4];
    let (chunks, rest) = weights.as_chunks::<LANES>();
    let [a, b, c, d] = columns.map(|column| column[..weights.len()].as_chunks::<LANES>());
    let pairs = a.0.iter().zip(b.0).zip(c.0.iter().zip(d.0));
    for (weights, ((a, b), (c, d))) in chunks.iter().zip(pairs) {
        let weights = f64x4::from(*weights);
        add(
            &mut sums,
            [*a, *b, *c, *d].map(|column| weights * four(column)),
        );
    }
    let ends = [a.1, b.1, c.1, d.1].map(|end| {
        let products = rest.iter().zip(end);
        products
            .map(|(weight, value)| weight * (*value).into())
            .sum::<f64>()
    });
    let sums = sums.map(|lanes| lanes.to_array().iter().sum::<f64>());
    [0, 1, 2, 3].map(|turn| sums[turn] + ends[turn])
}

#[cfg(test)]
mod tests {
    use wide::f64x4;

    use super::{dots, outermost, products_of_pairs, sum, sums_of_pairs};

    #[test]
    fn every_value_counts_once_whatever_the_length() {
        let twos = |count: u32| 2.0_f64.powi(count.cast_signed());
        for length in 0..40_u32 {
            let values: Vec<f64> = (0..length).map(f64::from).collect();
            let squares: f64 = values.iter().map(|value| value * value).sum();
            assert_eq!(sum(&values, |value| value * value), squares);
            assert_eq!(sums_of_pairs(&values, &values, |a, b| [a * b]), [squares]);
            assert_eq!(dots(&values, [&values; 4]), [squares; 4]);
            if let Some(last) = values.last() {
                assert_eq!(outermost(&values), [0.0, *last]);
            }
            let two = f64x4::splat(2.0);
            let doubled = |value: f64x4, _| {
                let high = value.simd_gt(two);
                [high.select(f64x4::ONE, two), two]
            };
            assert_eq!(
                products_of_pairs(&values, &values, doubled),
                [twos(length.min(3)), twos(length)]
            );
        }
    }
}
