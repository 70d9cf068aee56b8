//! Target allocation: how a portfolio is meant to be divided, how far it has drifted, and the trades that bring it back.
//!
//! Pure and exact. What is divided is what the targets speak of together with cash, less the cash that is kept; holdings
//! that no target names are left alone. Costs and taxes of trades are not estimated, and lots are not chosen here.

mod drift;
mod proposal;
mod trades;

pub use drift::GroupDrift;
pub use proposal::{Aim, Proposal};
pub use trades::{LeftOut, Reason, Side, Trade};

use serde::{Deserialize, Serialize};

use crate::decimal::{Decimal, RATE};
use crate::error::{Error, Result};
use crate::market::{Asset, CLASSES};

/// By what a portfolio is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Asset classes.
    Class,
    /// Sectors.
    Sector,
    /// Single assets.
    Symbol,
}

/// The share that one group is meant to have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The class, sector or symbol.
    pub name: String,
    /// Its share, from 0 to 1.
    pub weight: Decimal,
    /// How far the share may be off, in either direction, before anything is traded.
    pub band: Decimal,
    /// The symbol that is bought when the group needs more; in proportion to what is held unless given.
    pub buy: Option<String>,
}

/// How a portfolio is meant to be divided. Weights that add up to less than one leave the rest as cash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetPlan {
    /// What the targets' names are.
    pub dimension: Dimension,
    /// Trades of less than this are not proposed, in base currency.
    pub minimum_trade: Decimal,
    /// Cash that is never invested, in base currency.
    pub cash_kept: Decimal,
    /// Whether shares, exchange-traded funds and bonds are traded whole.
    pub whole_shares: bool,
    /// At least one, each name once.
    pub targets: Vec<Target>,
}

/// True for the classes that can be a target; cash is what the weights leave.
fn is_class(name: &str) -> bool {
    CLASSES.contains(&name) && name != "cash"
}

impl Dimension {
    /// Every dimension.
    pub const ALL: [Dimension; 3] = [Dimension::Class, Dimension::Sector, Dimension::Symbol];

    /// The name in arguments and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Dimension::Class => "class",
            Dimension::Sector => "sector",
            Dimension::Symbol => "symbol",
        }
    }

    /// From the name.
    pub fn parse(text: &str) -> Option<Dimension> {
        let mut all = Dimension::ALL.into_iter();
        all.find(|dimension| dimension.as_str() == text)
    }

    /// The group of an asset; `None` for an asset without sector.
    pub(crate) fn group(self, asset: &Asset) -> Option<&str> {
        match self {
            Dimension::Class => Some(&asset.class),
            Dimension::Sector => asset.sector.as_deref(),
            Dimension::Symbol => Some(&asset.symbol),
        }
    }
}

/// A share as people say it, such as `12.5 %`.
fn percent(share: Decimal) -> String {
    let scaled = share.mul(Decimal::from_int(100), RATE);
    scaled.map_or_else(|_| share.to_string(), |percent| format!("{percent} %"))
}

impl TargetPlan {
    /// Whether the plan can be followed.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self) -> Result<()> {
        let wrong = |field, value: &dyn ToString, rule| {
            Err(Error::InvalidArgument {
                field,
                value: value.to_string(),
                rule,
            })
        };
        if self.targets.is_empty() {
            return wrong("targets", &"", "must name at least one");
        }
        for (field, amount) in [
            ("minimum_trade", self.minimum_trade),
            ("cash_kept", self.cash_kept),
        ] {
            if amount.is_negative() {
                return wrong(field, &amount, "must not be negative");
            }
        }
        for (index, target) in self.targets.iter().enumerate() {
            let share = |value: Decimal| !value.is_negative() && value <= Decimal::ONE;
            if target.name.trim().is_empty() {
                return wrong("name", &target.name, "must not be empty");
            }
            if self.dimension == Dimension::Class && !is_class(&target.name) {
                return wrong(
                    "name",
                    &target.name,
                    "must be equity, etf, fund, bond, crypto, fx, commodity, index or other; cash is what the weights leave",
                );
            }
            for (field, value) in [("weight", target.weight), ("band", target.band)] {
                if !share(value) {
                    let said = format!("{} of {}", percent(value), target.name);
                    return wrong(field, &said, "must be from 0 to 100 %");
                }
            }
            let before = &self.targets[..index];
            if before.iter().any(|other| other.name == target.name) {
                return wrong("name", &target.name, "must be named once");
            }
        }
        let sum: Decimal = self.targets.iter().map(|target| target.weight).sum();
        if sum > Decimal::ONE {
            let parts = self.targets.iter();
            let parts = parts.map(|target| format!("{} {}", target.name, percent(target.weight)));
            let said = parts.collect::<Vec<_>>().join(" + ");
            let said = format!("{said} = {}", percent(sum));
            return wrong("weights", &said, "must not add up to more than 100 %");
        }
        Ok(())
    }

    /// The symbols that it names, held or not.
    pub fn symbols(&self) -> impl Iterator<Item = &str> {
        let targets = self.targets.iter();
        targets.filter_map(|target| self.symbol(target))
    }

    /// The symbol that stands for a target: what is bought for it, or what it is.
    pub(crate) fn symbol<'t>(&self, target: &'t Target) -> Option<&'t str> {
        let itself = (self.dimension == Dimension::Symbol).then_some(target.name.as_str());
        target.buy.as_deref().or(itself)
    }
}
