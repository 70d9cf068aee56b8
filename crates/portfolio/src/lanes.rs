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

/// What joins the terms of all pairs from a place to the end, for each of some places in order; both lists are equally long. Lanes
/// are counted from the end, so that it does not matter which other places there are.
#[inline]
pub(crate) fn joined_ends<const N: usize>(
    (a, b): (&[f64], &[f64]),
    places: &[usize],
    nothing: f64,
    terms: impl Fn(f64, f64) -> [f64; N],
    join: impl Fn(f64, f64) -> f64,
) -> Vec<[f64; N]> {
    let mut lanes = [[nothing; LANES]; N];
    let (chunks_a, chunks_b) = (a.as_rchunks::<LANES>().1, b.as_rchunks::<LANES>().1);
    let mut left = chunks_a.len();
    let mut ends = vec![[nothing; N]; places.len()];
    for (end, place) in ends.iter_mut().zip(places).rev() {
        let skipped = chunks_a.len() - (a.len() - place) / LANES;
        let new = skipped..left;
        lanes = joined_chunks(
            lanes,
            (&chunks_a[new.clone()], &chunks_b[new]),
            &terms,
            &join,
        );
        left = skipped;
        *end = lanes.map(|lanes| lanes.into_iter().fold(nothing, &join));
        let before = *place..a.len() - (chunks_a.len() - left) * LANES;
        for (a, b) in a[before.clone()].iter().zip(&b[before]) {
            for (end, term) in end.iter_mut().zip(terms(*a, *b)) {
                *end = join(*end, term);
            }
        }
    }
    ends
}

/// The lanes joined with the terms of more pairs, the last ones first.
#[inline]
fn joined_chunks<const N: usize>(
    mut lanes: [[f64; LANES]; N],
    (a, b): (&[[f64; LANES]], &[[f64; LANES]]),
    terms: impl Fn(f64, f64) -> [f64; N],
    join: impl Fn(f64, f64) -> f64,
) -> [[f64; LANES]; N] {
    for (a, b) in a.iter().zip(b).rev() {
        for lane in 0..LANES {
            let terms = terms(a[lane], b[lane]);
            for (lanes, term) in lanes.iter_mut().zip(terms) {
                lanes[lane] = join(lanes[lane], term);
            }
        }
    }
    lanes
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
    use super::{dots, joined_ends, products_of_pairs, sum, sum_of_pairs};

    #[test]
    fn every_value_counts_once_whatever_the_length() {
        for length in 0..40_u32 {
            let values: Vec<f64> = (0..length).map(f64::from).collect();
            let squares: f64 = values.iter().map(|value| value * value).sum();
            assert_eq!(sum(&values, |value| value * value), squares);
            assert_eq!(sum_of_pairs(&values, &values, |a, b| a * b), squares);
            assert_eq!(dots(&values, [&values; 4]), [squares; 4]);
            let places: Vec<usize> = (0..values.len()).step_by(3).collect();
            let ends = joined_ends(
                (&values, &values),
                &places,
                0.0,
                |a, b| [a * b, a],
                |sum, term| sum + term,
            );
            for (end, place) in ends.into_iter().zip(places) {
                let values = &values[place..];
                assert_eq!(
                    end,
                    [
                        sum(values, |value| value * value),
                        sum(values, |value| value)
                    ]
                );
            }
            let doubled = |value: f64, _| [if value < 3.0 { 2.0 } else { 1.0 }, 2.0];
            let twos = |count: u32| 2.0_f64.powi(count.cast_signed());
            assert_eq!(
                products_of_pairs(&values, &values, doubled),
                [twos(length.min(3)), twos(length)]
            );
        }
    }
}
