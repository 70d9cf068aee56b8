//! The valid name nearest to one that is not.

/// The candidate with the fewest edits from `name`, if it is near enough to be what was meant; else the shortest
/// that goes on where `name` ends.
pub(super) fn nearest<'a>(
    name: &str,
    candidates: impl Iterator<Item = &'a str> + Clone,
) -> Option<&'a str> {
    let longer = candidates.clone().filter(|candidate| {
        let rest = candidate.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with('_'))
    });
    candidates
        .map(|candidate| (distance(name, candidate), candidate))
        .min()
        .filter(|(edits, _)| *edits <= name.len().max(3) / 3)
        .map(|(_, candidate)| candidate)
        .or_else(|| longer.min_by_key(|candidate| candidate.len()))
}

/// How many characters must be inserted, deleted, replaced or swapped with their neighbour to make `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut before = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replaced = above[j] + usize::from(x != y);
            let mut least = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("recieve", "receive"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn the_nearest_name_is_offered_only_when_near() {
        let names = ["worker_concurrency", "worker_consumer"];
        let find = |name| nearest(name, names.into_iter());
        assert_eq!(find("worker_concurency"), Some("worker_concurrency"));
        assert_eq!(find("xyz"), None);
        assert_eq!(find("worker"), Some("worker_consumer"));
    }
}
