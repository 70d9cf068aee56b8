//! Where the value lies beside where it is meant to lie.

use serde::Serialize;

use super::{Target, TargetPlan};
use crate::decimal::{Decimal, MONEY, RATE};
use crate::ledger::LedgerError;
use crate::market::AssetIx;
use crate::series::Walked;

/// One group of a plan. Money is in base currency, shares are of what the plan divides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupDrift {
    /// The class, sector or symbol.
    pub name: String,
    /// What is held of it.
    pub value: Decimal,
    /// Its share, to 12 places.
    pub weight: Decimal,
    /// The share that it is meant to have.
    pub target: Decimal,
    /// How far it may be off.
    pub band: Decimal,
    /// Share less target.
    pub drift: Decimal,
    /// Whether it is farther off than it may be.
    pub out_of_band: bool,
    /// What is meant to be held of it.
    pub target_value: Decimal,
    /// What is held of it after the proposed trades.
    pub value_after: Decimal,
}

/// A group with what is held of it.
pub(super) struct Group<'p> {
    pub(super) target: &'p Target,
    pub(super) value: Decimal,
    pub(super) members: Vec<AssetIx>,
}

impl<'p> Group<'p> {
    /// The groups of a plan, in its order.
    pub(super) fn all(plan: &'p TargetPlan, end: &Walked<'_>) -> Vec<Group<'p>> {
        let market = end.ledger.market();
        let held = |target: &'p Target| {
            let positions = end.closing.positions.iter();
            let own = positions.filter(|(asset, _)| {
                plan.dimension.group(market.asset(**asset)) == Some(target.name.as_str())
            });
            let (members, values): (Vec<AssetIx>, Vec<Decimal>) = own
                .map(|(asset, position)| (*asset, position.value_base))
                .unzip();
            Group {
                target,
                value: values.into_iter().sum(),
                members,
            }
        };
        plan.targets.iter().map(held).collect()
    }

    /// Its drift when `divided` is what the plan divides.
    pub(super) fn drift(&self, divided: Decimal) -> Result<GroupDrift, LedgerError> {
        let Target {
            name, weight, band, ..
        } = self.target;
        let share = self.value.div(divided, RATE)?;
        let drift = share - *weight;
        Ok(GroupDrift {
            name: name.clone(),
            value: self.value,
            weight: share,
            target: *weight,
            band: *band,
            drift,
            out_of_band: drift.abs() > *band,
            target_value: divided.mul(*weight, MONEY)?,
            value_after: self.value,
        })
    }
}
