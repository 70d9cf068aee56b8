//! Sums over contiguous floats. They are kept in several lanes, so that additions do not wait for each other; always the
//! same lanes in the same order, so that equal input gives equal bits.

const LANES: usize = 8;

/// The sum of a term for each value.
#[inline]
pub(crate) fn sum(values: &[f64], term: impl Fn(f64) -> f64) -> f64 {
    let [sum] = sums(values, |value| [term(value)]);
    sum
}

/// The sums of some terms for each value, in one pass.
#[inline]
pub(crate) fn sums<const N: usize>(values: &[f64], terms: impl Fn(f64) -> [f64; N]) -> [f64; N] {
    sums_of_pairs(values, values, |value, _| terms(value))
}

/// The sum of a term for each pair of values; both lists are equally long.
#[inline]
pub(crate) fn sum_of_pairs(a: &[f64], b: &[f64], term: impl Fn(f64, f64) -> f64) -> f64 {
    let [sum] = sums_of_pairs(a, b, |a, b| [term(a, b)]);
    sum
}

/// The sums of some terms for each pair of values, in one pass; both lists are equally long.
#[inline]
pub(crate) fn sums_of_pairs<const N: usize>(
    a: &[f64],
    b: &[f64],
    terms: impl Fn(f64, f64) -> [f64; N],
) -> [f64; N] {
    let mut lanes = [[0.0; LANES]; N];
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            let terms = terms(a[lane], b[lane]);
            for (lanes, term) in lanes.iter_mut().zip(terms) {
                lanes[lane] += term;
            }
        }
    }
    let mut sums = lanes.map(|lanes| lanes.iter().sum::<f64>());
    for (a, b) in rest_a.iter().zip(rest_b) {
        for (sum, term) in sums.iter_mut().zip(terms(*a, *b)) {
            *sum += term;
        }
    }
    sums
}

/// What `outer` leaves of all values and a first one, such as the largest.
#[inline]
pub(crate) fn outermost(values: &[f64], first: f64, outer: impl Fn(f64, f64) -> f64) -> f64 {
    let mut lanes = [first; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] = outer(lanes[lane], chunk[lane]);
        }
    }
    let left = lanes.iter().chain(rest).copied();
    left.fold(first, outer)
}

/// The products of some factors for each pair of values, in one pass; both lists are equally long.
#[inline]
pub(crate) fn products_of_pairs<const N: usize>(
    a: &[f64],
    b: &[f64],
    factors: impl Fn(f64, f64) -> [f64; N],
) -> [f64; N] {
    let mut lanes = [[1.0; LANES]; N];
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            let factors = factors(a[lane], b[lane]);
            for (lanes, factor) in lanes.iter_mut().zip(factors) {
                lanes[lane] *= factor;
            }
        }
    }
    let mut products = lanes.map(|lanes| lanes.iter().product::<f64>());
    for (a, b) in rest_a.iter().zip(rest_b) {
        for (product, factor) in products.iter_mut().zip(factors(*a, *b)) {
            *product *= factor;
        }
    }
    products
}

/// `sum(weights[i] * column[i])` of four columns, each of which is as long as the weights.
pub(crate) fn dots(weights: &[f64], columns: [&[f64]; 4]) -> [f64; 4] {
    const HALF: usize = LANES / 2;
    let mut lanes = [[0.0; HALF]; 4];
    let (chunks, rest) = weights.as_chunks::<HALF>();
    let [a, b, c, d] = columns.map(|column| column[..weights.len()].as_chunks::<HALF>());
    let pairs = a.0.iter().zip(b.0).zip(c.0.iter().zip(d.0));
    for (weight, ((a, b), (c, d))) in chunks.iter().zip(pairs) {
        for lane in 0..HALF {
            lanes[0][lane] += weight[lane] * a[lane];
            lanes[1][lane] += weight[lane] * b[lane];
            lanes[2][lane] += weight[lane] * c[lane];
            lanes[3][lane] += weight[lane] * d[lane];
        }
    }
    let ends = [a.1, b.1, c.1, d.1].map(|end| {
        let products = rest.iter().zip(end).map(|(weight, value)| weight * value);
        products.sum::<f64>()
    });
    [0, 1, 2, 3].map(|turn| lanes[turn].iter().sum::<f64>() + ends[turn])
}

#[cfg(test)]
mod tests {
    use super::{dots, outermost, products_of_pairs, sum, sum_of_pairs};

    #[test]
    fn every_value_counts_once_whatever_the_length() {
        for length in 0..40_u32 {
            let values: Vec<f64> = (0..length).map(f64::from).collect();
            let squares: f64 = values.iter().map(|value| value * value).sum();
            assert_eq!(sum(&values, |value| value * value), squares);
            assert_eq!(sum_of_pairs(&values, &values, |a, b| a * b), squares);
            assert_eq!(dots(&values, [&values; 4]), [squares; 4]);
            let largest = f64::from(length.saturating_sub(1).max(7));
            assert_eq!(outermost(&values, 7.0, f64::max), largest);
            let doubled = |value: f64, _| [if value < 3.0 { 2.0 } else { 1.0 }, 2.0];
            let twos = |count: u32| 2.0_f64.powi(count.cast_signed());
            assert_eq!(
                products_of_pairs(&values, &values, doubled),
                [twos(length.min(3)), twos(length)]
            );
        }
    }
}
