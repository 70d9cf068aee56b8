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

fn total(lanes: [f64; LANES]) -> f64 {
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::{dots, sum, sum_of_pairs};

    #[test]
    fn every_value_counts_once_whatever_the_length() {
        for length in 0..40_u32 {
            let values: Vec<f64> = (0..length).map(f64::from).collect();
            let squares: f64 = values.iter().map(|value| value * value).sum();
            assert_eq!(sum(&values, |value| value * value), squares);
            assert_eq!(sum_of_pairs(&values, &values, |a, b| a * b), squares);
            assert_eq!(dots(&values, [&values; 4]), [squares; 4]);
        }
    }
}
