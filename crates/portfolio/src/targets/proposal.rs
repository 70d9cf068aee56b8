//! From drift to trades: sells first, then buys with what is there.

use jiff::civil::Date;
use serde::Serialize;

use super::drift::{Group, GroupDrift};
use super::trades::{LeftOut, Reason, Side, Tradable, Trade};
use super::{Dimension, TargetPlan};
use crate::decimal::{Decimal, MONEY};
use crate::ledger::LedgerError;
use crate::money::Currency;
use crate::series::Walked;

/// What the trades are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// Back to the targets, once a group is out of its band.
    Rebalance,
    /// Where to put new money, in base currency: nothing is sold, and no more than it is spent.
    Deposit(Decimal),
}

/// What to trade so that a portfolio is divided as it is meant to be. Money is in base currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The day of the prices.
    pub as_of: Date,
    /// The base currency.
    pub currency: Currency,
    /// What the targets' names are.
    pub dimension: Dimension,
    /// Net asset value, without the deposit.
    pub nav: Decimal,
    /// Cash, without the deposit.
    pub cash: Decimal,
    /// Cash that is not invested.
    pub cash_kept: Decimal,
    /// New money.
    pub deposit: Decimal,
    /// Holdings that no target names.
    pub untargeted: Decimal,
    /// What is divided: holdings with a target, cash and deposit, less the cash kept. Nothing is proposed unless it is above zero.
    pub divided: Decimal,
    /// Every group, in the plan's order; empty when nothing is there to divide.
    pub groups: Vec<GroupDrift>,
    /// Sells, then buys.
    pub trades: Vec<Trade>,
    /// Where a change is wanted and no trade proposed.
    pub left_out: Vec<LeftOut>,
    /// Cash after the deposit and all trades.
    pub cash_after: Decimal,
}

impl Proposal {
    /// The proposal for a portfolio as it stands at the end of a walk.
    ///
    /// # Errors
    /// When an exchange rate is missing or a product is too large.
    pub fn of(plan: &TargetPlan, end: &Walked<'_>, aim: Aim) -> Result<Proposal, LedgerError> {
        let groups = Group::all(plan, end);
        let targeted: Decimal = groups.iter().map(|group| group.value).sum();
        let (nav, cash) = (end.closing.nav, end.closing.cash_base());
        let deposit = match aim {
            Aim::Rebalance => Decimal::ZERO,
            Aim::Deposit(amount) => amount,
        };
        let proposal = Proposal {
            as_of: end.closing.date,
            currency: end.ledger.rules().base,
            dimension: plan.dimension,
            nav,
            cash,
            cash_kept: plan.cash_kept,
            deposit,
            untargeted: nav - cash - targeted,
            divided: targeted + cash + deposit - plan.cash_kept,
            groups: Vec::new(),
            trades: Vec::new(),
            left_out: Vec::new(),
            cash_after: cash + deposit,
        };
        if !proposal.divided.is_positive() {
            return Ok(proposal);
        }
        let work = Work {
            plan,
            end,
            groups,
            proposal,
        };
        work.trades(aim)
    }

    /// Whether every group is within its band.
    pub fn is_balanced(&self) -> bool {
        !self.groups.iter().any(|group| group.out_of_band)
    }
}

/// A proposal under way.
struct Work<'w, 'm> {
    plan: &'w TargetPlan,
    end: &'w Walked<'m>,
    groups: Vec<Group<'w>>,
    proposal: Proposal,
}

impl<'m> Work<'_, 'm> {
    fn trades(mut self, aim: Aim) -> Result<Proposal, LedgerError> {
        let divided = self.proposal.divided;
        let drifts = self.groups.iter().map(|group| group.drift(divided));
        self.proposal.groups = drifts.collect::<Result<_, _>>()?;
        if aim == Aim::Rebalance {
            if self.proposal.is_balanced() {
                return Ok(self.proposal);
            }
            for index in 0..self.groups.len() {
                self.sell(index)?;
            }
        }
        let spendable = self.proposal.cash_after - self.plan.cash_kept;
        let spendable = match aim {
            Aim::Rebalance => spendable,
            Aim::Deposit(amount) => spendable.min(amount),
        };
        self.buy(spendable.max(Decimal::ZERO))?;
        Ok(self.proposal)
    }

    /// What a group is meant to have more than it has.
    fn missing(&self, index: usize) -> Decimal {
        self.proposal.groups[index].target_value - self.groups[index].value
    }

    fn sell(&mut self, index: usize) -> Result<(), LedgerError> {
        let excess = -self.missing(index);
        if !excess.is_positive() {
            return Ok(());
        }
        let everything = self.groups[index].target.weight.is_zero();
        let members = self.held(index)?;
        if members.is_empty() {
            self.leave_out(index, None, -excess, Reason::NoPrice);
        }
        for (tradable, amount) in shared(members, excess)? {
            let units = if everything {
                tradable.held
            } else {
                tradable.units_within(amount)?.min(tradable.held)
            };
            self.take(Side::Sell, index, &tradable, units, amount)?;
        }
        Ok(())
    }

    /// Spends no more than `spendable`; when that is too little, every group gets less in the same proportion.
    fn buy(&mut self, spendable: Decimal) -> Result<(), LedgerError> {
        let wanted = (0..self.groups.len()).map(|index| (index, self.missing(index)));
        let wanted: Vec<(usize, Decimal)> = wanted.filter(|(_, gap)| gap.is_positive()).collect();
        let sum: Decimal = wanted.iter().map(|(_, gap)| *gap).sum();
        let mut left = spendable;
        for (index, gap) in wanted {
            let share = if sum > spendable {
                spendable.mul_div(gap, sum, MONEY)?.min(left)
            } else {
                gap
            };
            if share.is_positive() {
                let before = self.proposal.cash_after;
                self.buy_group(index, share)?;
                left -= before - self.proposal.cash_after;
            }
        }
        Ok(())
    }

    fn buy_group(&mut self, index: usize, amount: Decimal) -> Result<(), LedgerError> {
        match self.bought(index)? {
            Ok(assets) => {
                for (tradable, amount) in shared(assets, amount)? {
                    let units = tradable.units_within(amount)?;
                    self.take(Side::Buy, index, &tradable, units, amount)?;
                }
            }
            Err((symbol, reason)) => self.leave_out(index, symbol, amount, reason),
        }
        Ok(())
    }

    /// What is bought for a group, or why nothing can be.
    fn bought(&self, index: usize) -> Result<Bought<'m>, LedgerError> {
        let target = self.groups[index].target;
        let named = self.plan.dimension == Dimension::Symbol;
        let symbol = target.buy.as_ref().or(named.then_some(&target.name));
        let Some(symbol) = symbol else {
            let held = self.held(index)?;
            let why = match self.groups[index].members.is_empty() {
                true => Reason::NothingHeld,
                false => Reason::NoPrice,
            };
            return Ok(Some(held)
                .filter(|held| !held.is_empty())
                .ok_or((None, why)));
        };
        let because = |reason| (Some(symbol.clone()), reason);
        let Some(asset) = self.end.ledger.market().find(symbol) else {
            return Ok(Err(because(Reason::UnknownSymbol)));
        };
        let found = Tradable::of(self.end, asset, self.plan.whole_shares)?;
        let found = found.map(|tradable| vec![tradable]);
        Ok(found.ok_or_else(|| because(Reason::NoPrice)))
    }

    /// What is held of a group and has a price.
    fn held(&self, index: usize) -> Result<Vec<Tradable<'m>>, LedgerError> {
        let mut held = Vec::new();
        for asset in &self.groups[index].members {
            let found = Tradable::of(self.end, *asset, self.plan.whole_shares)?;
            held.extend(found.filter(|tradable| tradable.held.is_positive()));
        }
        Ok(held)
    }

    /// Proposes a trade, or notes that it is too small.
    fn take(
        &mut self,
        side: Side,
        index: usize,
        tradable: &Tradable<'_>,
        units: Decimal,
        wanted: Decimal,
    ) -> Result<(), LedgerError> {
        let trade = tradable.trade(side, &self.groups[index].target.name, units)?;
        let change = match side {
            Side::Buy => trade.amount_base,
            Side::Sell => -trade.amount_base,
        };
        if !units.is_positive() || trade.amount_base < self.plan.minimum_trade {
            let wanted = if side == Side::Buy { wanted } else { -wanted };
            self.leave_out(index, Some(trade.symbol), wanted, Reason::BelowMinimum);
        } else {
            self.proposal.cash_after -= change;
            self.proposal.groups[index].value_after += change;
            self.proposal.trades.push(trade);
        }
        Ok(())
    }

    fn leave_out(
        &mut self,
        index: usize,
        symbol: Option<String>,
        amount_base: Decimal,
        reason: Reason,
    ) {
        self.proposal.left_out.push(LeftOut {
            group: self.groups[index].target.name.clone(),
            symbol,
            amount_base,
            reason,
        });
    }
}

/// Assets to buy; or a symbol and why it cannot be bought.
type Bought<'m> = Result<Vec<Tradable<'m>>, (Option<String>, Reason)>;

/// An amount shared out by what each asset is worth; the last one takes the rest.
fn shared(
    assets: Vec<Tradable<'_>>,
    amount: Decimal,
) -> Result<Vec<(Tradable<'_>, Decimal)>, LedgerError> {
    let sum: Decimal = assets.iter().map(|asset| asset.value).sum();
    let (mut left, last) = (amount, assets.len().saturating_sub(1));
    let mut parts = Vec::with_capacity(assets.len());
    for (place, asset) in assets.into_iter().enumerate() {
        let part = if place == last || !sum.is_positive() {
            left
        } else {
            amount.mul_div(asset.value, sum, MONEY)?.min(left)
        };
        left -= part;
        parts.push((asset, part));
    }
    Ok(parts)
}
