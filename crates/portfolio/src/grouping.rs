//! The groups that allocation speaks of, as numbers: so that many portfolios add up values without a look at a name.

use std::collections::HashMap;

use crate::market::{Asset, AssetIx};

/// The group of cash in every grouping.
const CASH: &str = "cash";
/// The group of assets without another one.
const UNKNOWN: &str = "unknown";

/// The groups of all assets of a market, kind by kind.
#[derive(Debug)]
pub(crate) struct Groupings {
    pub(crate) class: Grouping,
    pub(crate) sector: Grouping,
    pub(crate) country: Grouping,
}

/// Groups of one kind.
#[derive(Debug)]
pub(crate) struct Grouping {
    /// By number.
    names: Vec<String>,
    /// Numbers of groups by asset.
    of_assets: Vec<usize>,
}

impl Groupings {
    pub(crate) fn of(assets: &[Asset]) -> Groupings {
        let or_unknown = |name: &Option<String>| name.as_deref().unwrap_or(UNKNOWN).to_owned();
        Groupings {
            class: Grouping::of(assets.iter().map(|asset| asset.class.clone())),
            sector: Grouping::of(assets.iter().map(|asset| or_unknown(&asset.sector))),
            country: Grouping::of(assets.iter().map(|asset| or_unknown(&asset.country))),
        }
    }
}

impl Grouping {
    /// By the names of the assets' groups.
    fn of(of_assets: impl Iterator<Item = String>) -> Grouping {
        let mut names = vec![CASH.to_owned()];
        let mut numbers = HashMap::from([(CASH.to_owned(), 0)]);
        let number = |name: String| {
            *numbers.entry(name).or_insert_with_key(|name| {
                names.push(name.clone());
                names.len() - 1
            })
        };
        let of_assets = of_assets.map(number).collect();
        Grouping { names, of_assets }
    }

    /// The names, by number.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of an asset's group.
    pub(crate) fn of_asset(&self, asset: AssetIx) -> usize {
        self.of_assets[asset.0]
    }

    /// The number of the group of cash.
    pub(crate) fn of_cash(&self) -> usize {
        0
    }
}
