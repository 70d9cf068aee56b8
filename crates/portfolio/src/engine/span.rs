//! One period of a valued portfolio.

use jiff::civil::Date;
use litemap::LiteMap;

use super::earned::Earned;
use super::outline::Opening;
use super::valued::{Valued, after, gain};
use crate::decimal::Decimal;
use crate::returns::{Part, Returns, link};
use crate::series::{Mark, Series};

/// The days of a period; its first day counts from the opening, which need not be on the grid.
#[derive(Clone, Copy, Debug)]
pub struct Span<'v> {
    valued: &'v Valued<'v, 'v>,
    turn: usize,
}

impl<'v> Span<'v> {
    pub(super) fn new(valued: &'v Valued<'v, 'v>, turn: usize) -> Span<'v> {
        Span { valued, turn }
    }

    fn start(&self) -> &'v Opening {
        &self.valued.outline.openings[self.turn]
    }

    fn first(&self) -> usize {
        after(self.valued.columns, self.start())
    }

    /// Money that came in and went out between the opening and the end of the first day.
    fn first_flows(&self) -> (f64, f64) {
        let flows = &self.valued.outline.end.ledger.flows()[self.start().mark.flows..];
        let last = self.valued.columns.dates()[self.first()];
        let early = flows.iter().take_while(|flow| flow.date <= last);
        early.fold((0.0, 0.0), |(inflow, outflow), flow| {
            (
                inflow + flow.inflow.to_f64(),
                outflow + flow.outflow.to_f64(),
            )
        })
    }

    /// The return of the first day.
    pub(super) fn first_gain(&self) -> f64 {
        gain(self.first_equity())
    }

    /// Equity at the start and at the end of the first day.
    pub(super) fn first_equity(&self) -> (f64, f64) {
        let (inflow, outflow) = self.first_flows();
        (
            self.start().nav.to_f64() + inflow,
            self.valued.nav[self.first()] + outflow,
        )
    }
}

impl Series for Span<'_> {
    fn from(&self) -> Date {
        self.start().date
    }

    fn opening(&self) -> Decimal {
        self.start().nav
    }

    fn mark(&self) -> Mark {
        self.start().mark
    }

    fn returns(&self) -> Returns<'_> {
        let first = self.first();
        let dates = &self.valued.columns.dates()[first..];
        if self.turn == 0 {
            return Returns::sound(dates, &self.valued.gains);
        }
        let later = self.valued.gains_after(first);
        let mut gains = Vec::with_capacity(later.len() + 1);
        gains.push(self.first_gain());
        gains.extend_from_slice(later);
        Returns::sound(dates, gains)
    }

    fn contributions(&self, returns: &[f64]) -> Option<LiteMap<Part, f64>> {
        let total = crate::metrics::compound(returns);
        if total <= -1.0 || returns.iter().any(|value| 1.0 + value <= 0.0) {
            return None;
        }
        let overall = link(total);
        let mut parts = self.earned(returns[0]);
        parts.iter_mut().for_each(|(_, part)| *part /= overall);
        Some(parts)
    }
}

impl Span<'_> {
    /// What each part earned until the last day, not yet divided by the link of the whole period; `None` without a return or after a
    /// total loss.
    pub(super) fn numerators(&self) -> Option<LiteMap<Part, f64>> {
        let returns = self.returns().values;
        let first = returns.first()?;
        let defined = returns.iter().all(|value| 1.0 + value > 0.0);
        defined.then(|| self.earned(*first))
    }

    fn earned(&self, first: f64) -> LiteMap<Part, f64> {
        let since_inception = self.valued.kept_series().filter(|_| self.turn == 0);
        let (mut parts, later): (LiteMap<Part, f64>, Vec<(Part, f64)>) = match since_inception {
            Some(series) => {
                let tail = Earned::since(self.valued, self.valued.tail);
                (
                    series.earned.iter().copied().collect(),
                    tail.from(0).collect(),
                )
            }
            None => {
                let earned = self.valued.earned.get_or_init(|| Earned::of(self.valued));
                (self.first_day(first), earned.from(self.turn).collect())
            }
        };
        for (part, earned) in later {
            *parts.entry(part).or_default() += earned;
        }
        parts
    }

    /// What each part added on the first day, not yet divided by the link of the whole period.
    fn first_day(&self, gain: f64) -> LiteMap<Part, f64> {
        let mut profits: LiteMap<Part, f64> = LiteMap::new();
        let (opening, day) = (self.start(), self.first());
        let mut add =
            |asset, profit: f64| *profits.entry(Part::Asset(asset)).or_default() += profit;
        for piece in &self.valued.pieces.held {
            if let Some(asset) = piece
                .asset
                .filter(|_| (piece.from..piece.to).contains(&day))
            {
                add(asset, piece.value.at(day));
            }
        }
        for (asset, value) in &opening.values {
            add(*asset, -value.to_f64());
        }
        for spending in &self.valued.pieces.spent {
            if spending.day == day && spending.date > opening.date {
                add(spending.asset, -spending.amount);
            }
        }
        let (inflow, outflow) = self.first_flows();
        let profit = self.valued.nav[day] + outflow - opening.nav.to_f64() - inflow;
        let of_assets: f64 = profits.values().sum();
        let equity = opening.nav.to_f64() + inflow;
        let weight = if equity > 0.0 {
            link(gain) / equity
        } else {
            0.0
        };
        profits.insert(Part::Cash, profit - of_assets);
        profits.iter_mut().for_each(|(_, profit)| *profit *= weight);
        profits
    }
}
