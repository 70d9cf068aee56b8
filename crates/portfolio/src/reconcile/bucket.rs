//! Pairing within a bucket: rows of one type, symbol and currency.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::gap;
use super::matcher::{Matcher, Side};
use super::outcome::Rule;
use super::rows::Row;
use crate::dates::plus_days;
use crate::decimal::Decimal;

/// Indices of open rows that could belong together, each by date, then id.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    pub(super) ledger: Vec<usize>,
    pub(super) lines: Vec<usize>,
}

/// How near a pair is: days, difference in amount, then ids; the nearest is taken first.
type Nearness = (i64, Decimal, i64, i64);

impl Bucket {
    fn keep_open(&mut self, matcher: &Matcher<'_>) {
        self.ledger.retain(|index| matcher.ledger.open[*index]);
        self.lines.retain(|index| matcher.lines.open[*index]);
    }

    fn is_one_sided(&self) -> bool {
        self.ledger.is_empty() || self.lines.is_empty()
    }
}

impl<'a> Matcher<'a> {
    /// Applies every rule but the first, bucket by bucket.
    pub(super) fn by_bucket(&mut self) {
        for mut bucket in self.buckets() {
            self.equal(&bucket);
            for (rule, days) in [
                (Rule::Exact, 0),
                (Rule::NearDate, self.tolerances.date_days),
            ] {
                bucket.keep_open(self);
                let tolerances = self.tolerances;
                self.pairs(rule, &bucket, days, |a, b| tolerances.amounts_agree(a, b));
            }
            bucket.keep_open(self);
            self.groups(&bucket);
            bucket.keep_open(self);
            self.soft(&bucket);
        }
    }

    fn buckets(&self) -> Vec<Bucket> {
        let mut buckets: BTreeMap<_, Bucket> = BTreeMap::new();
        let open = |side: &Side<'a>| -> Vec<(usize, &'a Row)> {
            let rows = side.rows.iter().enumerate();
            rows.filter(|(index, _)| side.open[*index])
                .map(|(index, row)| (index, *row))
                .collect()
        };
        for (index, row) in open(&self.ledger) {
            buckets.entry(key(row)).or_default().ledger.push(index);
        }
        for (index, row) in open(&self.lines) {
            buckets.entry(key(row)).or_default().lines.push(index);
        }
        buckets
            .into_values()
            .filter(|bucket| !bucket.is_one_sided())
            .collect()
    }

    /// The start of the exact rule without looking at pairs: rows of one date and amount, in the order of ids. Many equal
    /// rows on one day would otherwise give the square of their number.
    fn equal(&mut self, bucket: &Bucket) {
        let mut lines: HashMap<(Date, Decimal), Vec<usize>> = HashMap::new();
        for index in bucket.lines.iter().rev() {
            let row = self.lines.rows[*index];
            lines
                .entry((row.date, row.amount))
                .or_default()
                .push(*index);
        }
        for index in &bucket.ledger {
            let row = self.ledger.rows[*index];
            let Some(waiting) = lines.get_mut(&(row.date, row.amount)) else {
                continue;
            };
            let fits = |line: &usize| {
                self.tolerances
                    .quantities_agree(row.quantity, self.lines.rows[*line].quantity)
            };
            if let Some(place) = waiting.iter().rposition(fits) {
                let line = waiting.remove(place);
                self.hit(Rule::Exact, &[*index], &[line]);
            }
        }
    }

    /// Takes pairs that fit, the nearest first.
    fn pairs(
        &mut self,
        rule: Rule,
        bucket: &Bucket,
        days: i64,
        amounts_fit: impl Fn(Decimal, Decimal) -> bool,
    ) -> Vec<(&'a Row, &'a Row)> {
        let mut candidates: Vec<(Nearness, usize, usize)> = Vec::new();
        for index in &bucket.ledger {
            let booked = self.ledger.rows[*index];
            for line in window(&self.lines, &bucket.lines, booked.date, days) {
                let stated = self.lines.rows[*line];
                let quantities = self
                    .tolerances
                    .quantities_agree(booked.quantity, stated.quantity);
                if quantities && amounts_fit(booked.amount, stated.amount) {
                    let distance = (booked.amount - stated.amount).abs();
                    let nearness = (gap(booked, stated), distance, booked.id, stated.id);
                    candidates.push((nearness, *index, *line));
                }
            }
        }
        candidates.sort_unstable();
        let mut taken = Vec::new();
        for (_, index, line) in candidates {
            if self.ledger.open[index] && self.lines.open[line] {
                self.hit(rule, &[index], &[line]);
                taken.push((self.ledger.rows[index], self.lines.rows[line]));
            }
        }
        taken
    }

    /// The last rule: one trade, other money.
    fn soft(&mut self, bucket: &Bucket) {
        let Some(first) = bucket.ledger.first() else {
            return;
        };
        if self.ledger.rows[*first].symbol.is_none() {
            return;
        }
        let tolerances = self.tolerances;
        let close = |a, b| tolerances.amounts_are_close(a, b);
        for (booked, stated) in self.pairs(Rule::SoftAmount, bucket, tolerances.date_days, close) {
            self.amount_mismatch(booked, stated);
        }
    }
}

/// What two rows must have in common.
fn key(row: &Row) -> impl Ord {
    (row.kind.as_str(), row.symbol.as_deref(), row.currency)
}

/// Those of `indices` (by date) that are at most `days` from `date`.
pub(super) fn window<'i>(
    side: &Side<'_>,
    indices: &'i [usize],
    date: Date,
    days: i64,
) -> &'i [usize] {
    let (first, last) = (plus_days(date, -days), plus_days(date, days));
    let start = indices.partition_point(|index| side.rows[*index].date < first);
    let end = indices.partition_point(|index| side.rows[*index].date <= last);
    &indices[start..end]
}
