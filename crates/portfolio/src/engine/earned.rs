//! What every part of a portfolio earned, weighted so that it links to the time-weighted return.

use std::ops::Range;

use super::kernel::{Product, weigh_all};
use super::pieces::Piece;
use super::valued::{Valued, after};
use crate::lanes::sums_of_pairs;
use crate::market::AssetIx;
use crate::returns::{Part, links};

/// Linked profits by opening: those of the days after the opening's first day, up to and with the first day of the
/// opening after it.
#[derive(Debug)]
pub(super) struct Earned {
    /// In order.
    assets: Vec<AssetIx>,
    /// The last stretch in which an asset was held or traded, by asset.
    last: Vec<usize>,
    /// By asset, then by opening.
    by_asset: Vec<f64>,
    /// By opening, of the portfolio as a whole.
    whole: Vec<f64>,
}

/// The days that belong to each opening, and the weight of a day's profit.
struct Days {
    stretches: Vec<Range<usize>>,
    /// By stretch, what the portfolio as a whole earned.
    whole: Vec<f64>,
    first: usize,
    /// From the first day on.
    weights: Vec<f64>,
    /// By how much each weight is above the next one.
    falls: Vec<f64>,
}

impl Earned {
    pub(super) fn of(valued: &Valued<'_, '_>) -> Earned {
        Earned::of_days(valued, &Days::of(valued))
    }

    /// As if one opening were the day before `first`.
    pub(super) fn since(valued: &Valued<'_, '_>, first: usize) -> Earned {
        Earned::of_days(valued, &Days::since(valued, vec![first]))
    }

    fn of_days(valued: &Valued<'_, '_>, days: &Days) -> Earned {
        let mut earned = Earned::empty(valued, &days.whole);
        let held = valued.pieces.held.iter();
        let held: Vec<&Piece<'_>> = held.filter(|piece| piece.asset.is_some()).collect();
        for piece in &held {
            earned.add_ends(piece, days);
        }
        for pieces in held.chunk_by(|a, b| (a.from, a.to) == (b.from, b.to)) {
            earned.add_pieces(pieces, days);
        }
        for spending in &valued.pieces.spent {
            earned.add(Some(spending.asset), spending.day, -spending.amount, days);
        }
        earned
    }

    fn empty(valued: &Valued<'_, '_>, whole: &[f64]) -> Earned {
        let held = valued.pieces.held.iter().filter_map(|piece| piece.asset);
        let spent = valued.pieces.spent.iter().map(|spending| spending.asset);
        let mut assets: Vec<AssetIx> = held.chain(spent).collect();
        assets.sort_unstable();
        assets.dedup();
        Earned {
            last: vec![0; assets.len()],
            by_asset: vec![0.0; assets.len() * whole.len()],
            whole: whole.to_vec(),
            assets,
        }
    }

    /// What came and what went when a piece began and ended.
    fn add_ends(&mut self, piece: &Piece<'_>, days: &Days) {
        if days.turn(piece.from).is_some() {
            self.add(piece.asset, piece.from, piece.value.at(piece.from), days);
        }
        if days.turn(piece.to).is_some() {
            self.add(piece.asset, piece.to, -piece.value.at(piece.to - 1), days);
        }
    }

    /// What pieces over the same days earned between their ends.
    fn add_pieces(&mut self, pieces: &[&Piece<'_>], days: &Days) {
        let (from, to) = (pieces[0].from, pieces[0].to);
        let products: Vec<Product<'_>> = pieces.iter().map(|piece| piece.value).collect();
        for (turn, stretch) in days.stretches.iter().enumerate() {
            let inside = stretch.start.max(from + 1)..stretch.end.min(to);
            if inside.is_empty() {
                continue;
            }
            let earned = days.weigh_changes(&products, inside);
            for (piece, earned) in pieces.iter().zip(earned) {
                let slot = self.slot(piece.asset).expect("every asset has a slot");
                self.last[slot] = self.last[slot].max(turn + 1);
                self.by_asset[slot * self.whole.len() + turn] += earned;
            }
        }
    }

    /// A profit of one day.
    fn add(&mut self, asset: Option<AssetIx>, day: usize, profit: f64, days: &Days) {
        if let (Some(slot), Some(turn)) = (self.slot(asset), days.turn(day)) {
            self.last[slot] = self.last[slot].max(turn + 1);
            self.by_asset[slot * self.whole.len() + turn] += profit * days.weight(day);
        }
    }

    fn slot(&self, asset: Option<AssetIx>) -> Option<usize> {
        self.assets.binary_search(&asset?).ok()
    }

    /// The sums from one opening to the end: of assets held or traded since, and of the cash that remains.
    pub(super) fn from(&self, turn: usize) -> impl Iterator<Item = (Part, f64)> {
        let openings = self.whole.len();
        let sum = move |slot: usize| {
            self.by_asset[slot * openings..][..openings][turn..]
                .iter()
                .sum::<f64>()
        };
        let whole: f64 = self.whole[turn..].iter().sum();
        let of_assets: f64 = (0..self.assets.len()).map(sum).sum();
        let live = (0..self.assets.len()).filter(move |slot| self.last[*slot] > turn);
        live.map(move |slot| (Part::Asset(self.assets[slot]), sum(slot)))
            .chain([(Part::Cash, whole - of_assets)])
    }
}

impl Days {
    fn of(valued: &Valued<'_, '_>) -> Days {
        let openings = valued.outline.openings.iter();
        let starts = openings.map(|opening| after(valued.columns, opening) + 1);
        Days::since(valued, starts.collect())
    }

    /// The days from each start to the next one, and from the last to the end; the first start is after the first day.
    fn since(valued: &Valued<'_, '_>, mut starts: Vec<usize>) -> Days {
        let days = valued.nav.len();
        let first = starts[0];
        starts.push(days);
        let stretches: Vec<Range<usize>> = starts
            .windows(2)
            .map(|pair| pair[0]..pair[1].max(pair[0]))
            .collect();
        let gains = valued.gains_after(first - 1);
        let mut weights = links(gains);
        let whole = stretches.iter().map(|stretch| {
            let days = stretch.start - first..stretch.end - first;
            let [linked] = sums_of_pairs(&weights[days.clone()], &gains[days], |a, b| [a * b]);
            linked
        });
        let whole = whole.collect();
        for (weight, start) in weights.iter_mut().zip(valued.starting_equity(first)) {
            *weight = if start > 0.0 { *weight / start } else { 0.0 };
        }
        let falls = weights.windows(2).map(|pair| pair[0] - pair[1]).collect();
        Days {
            stretches,
            whole,
            first,
            weights,
            falls,
        }
    }

    fn weight(&self, day: usize) -> f64 {
        self.weights[day - self.first]
    }

    /// For each product, the sum of weights times the changes from the day before, over some days. Its terms are put in
    /// another order, so that each value is touched once.
    fn weigh_changes<'p>(
        &'p self,
        products: &'p [Product<'p>],
        days: Range<usize>,
    ) -> impl Iterator<Item = f64> {
        let (first, last) = (days.start, days.end - 1);
        let (opening, closing) = (self.weight(first), self.weight(last));
        let falls = &self.falls[first - self.first..last - self.first];
        let inside = weigh_all(products, falls, first);
        products.iter().zip(inside).map(move |(value, inside)| {
            closing * value.at(last) - opening * value.at(first - 1) + inside
        })
    }

    /// The opening to which a day belongs.
    fn turn(&self, day: usize) -> Option<usize> {
        self.stretches
            .iter()
            .position(|stretch| stretch.contains(&day))
    }
}
