//! Several rows that add up to one of the other side: fills of one order, a trade confirmed in parts.

use super::Tolerances;
use super::bucket::{Bucket, window};
use super::gap;
use super::matcher::{Matcher, Side};
use super::outcome::Rule;
use super::rows::Row;
use crate::decimal::Decimal;

impl Matcher<'_> {
    /// Lines against several ledger rows, then ledger rows against several lines.
    pub(super) fn groups(&mut self, bucket: &Bucket) {
        for line in &bucket.lines {
            let one = self.lines.rows[*line];
            if let Some(group) = find(one, &self.ledger, &bucket.ledger, self.tolerances) {
                self.hit(Rule::ManyToOne, &group, &[*line]);
            }
        }
        for index in &bucket.ledger {
            if !self.ledger.open[*index] {
                continue;
            }
            let one = self.ledger.rows[*index];
            if let Some(group) = find(one, &self.lines, &bucket.lines, self.tolerances) {
                self.hit(Rule::OneToMany, &[*index], &group);
            }
        }
    }
}

/// The smallest group that adds up to `one`; of several the nearest in days, then by ids.
fn find(
    one: &Row,
    side: &Side<'_>,
    indices: &[usize],
    tolerances: &Tolerances,
) -> Option<Vec<usize>> {
    let near = window(side, indices, one.date, tolerances.date_days);
    let mut candidates: Vec<usize> = near
        .iter()
        .copied()
        .filter(|index| side.open[*index])
        .collect();
    candidates.sort_by_key(|index| (gap(side.rows[*index], one), side.rows[*index].id));
    candidates.truncate(tolerances.group_candidates);
    (2..=tolerances.group_max.min(candidates.len())).find_map(|size| {
        let mut search = Search {
            one,
            side,
            candidates: &candidates,
            tolerances,
            chosen: Vec::with_capacity(size),
            best: None,
        };
        search.extend(size, 0, Sum::default());
        let (_, ids) = search.best.take()?;
        Some(search.indices(&ids))
    })
}

/// The running totals of a group.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    quantity: Decimal,
    amount: Decimal,
    days: i64,
}

/// All groups of one size, the best so far kept.
struct Search<'s, 'a> {
    one: &'s Row,
    side: &'s Side<'a>,
    candidates: &'s [usize],
    tolerances: &'s Tolerances,
    chosen: Vec<i64>,
    best: Option<(i64, Vec<i64>)>,
}

impl Search<'_, '_> {
    fn extend(&mut self, missing: usize, from: usize, sum: Sum) {
        if missing == 0 {
            self.consider(sum);
            return;
        }
        for place in from..=self.candidates.len().saturating_sub(missing) {
            let row = self.side.rows[self.candidates[place]];
            self.chosen.push(row.id);
            let sum = Sum {
                quantity: sum.quantity + row.quantity,
                amount: sum.amount + row.amount,
                days: sum.days + gap(row, self.one),
            };
            self.extend(missing - 1, place + 1, sum);
            self.chosen.pop();
        }
    }

    fn consider(&mut self, sum: Sum) {
        let adds_up = self
            .tolerances
            .quantities_agree(sum.quantity, self.one.quantity)
            && self.tolerances.amounts_agree(sum.amount, self.one.amount);
        if adds_up {
            let mut ids = self.chosen.clone();
            ids.sort_unstable();
            let group = (sum.days, ids);
            if self.best.as_ref().is_none_or(|best| group < *best) {
                self.best = Some(group);
            }
        }
    }

    /// Places in the side of the rows with these ids, in the order of ids.
    fn indices(&self, ids: &[i64]) -> Vec<usize> {
        let place = |id: &i64| {
            let mut candidates = self.candidates.iter().copied();
            candidates.find(|index| self.side.rows[*index].id == *id)
        };
        ids.iter().filter_map(place).collect()
    }
}
