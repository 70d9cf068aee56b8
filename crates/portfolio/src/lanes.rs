//! Sums over contiguous floats. They are kept in several lanes, so that additions do not wait for each other; always the
//! same lanes in the same order, so that equal input gives equal bits.

const LANES: usize = 8;

/// The sum of a term for each value.
#[inline]
pub(crate) fn sum(values: &[f64], term: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += term(chunk[lane]);
        }
    }
    total(lanes) + rest.iter().map(|value| term(*value)).sum::<f64>()
}

/// The sum of a term for each pair of values; both lists are equally long.
#[inline]
pub(crate) fn sum_of_pairs(a: &[f64], b: &[f64], term: impl Fn(f64, f64) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            lanes[lane] += term(a[lane], b[lane]);
        }
    }
    let rest = rest_a.iter().zip(rest_b);
    total(lanes) + rest.map(|(a, b)| term(*a, *b)).sum::<f64>()
}

fn total(lanes: [f64; LANES]) -> f64 {
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::{sum, sum_of_pairs};

    #[test]
    fn every_value_counts_once_whatever_the_length() {
        for length in 0..40_u32 {
            let values: Vec<f64> = (0..length).map(f64::from).collect();
            let squares: f64 = values.iter().map(|value| value * value).sum();
            assert_eq!(sum(&values, |value| value * value), squares);
            assert_eq!(sum_of_pairs(&values, &values, |a, b| a * b), squares);
        }
    }
}
