//! Where the value lies: weights by dimension, exposure and concentration.

use std::collections::BTreeMap;

use compact_str::{CompactString, ToCompactString};
use serde::{Deserialize, Serialize};

use crate::decimal::{Decimal, MONEY};
use crate::grouping::Grouping;
use crate::ledger::{AccountId, Ledger};
use crate::money::Currency;
use crate::returns::cash_of;
use crate::valuation::Valuation;

/// Weights by name.
pub type Weights = BTreeMap<CompactString, f64>;

/// Shares of net asset value; `None` of [`Allocation::of`] when that is not positive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Allocation {
    /// By symbol; cash is `CASH:` and its currency.
    pub asset: Weights,
    /// By asset class; cash is a class.
    pub class: Weights,
    /// By sector.
    pub sector: Weights,
    /// By currency.
    pub currency: Weights,
    /// By country.
    pub country: Weights,
    /// By account id, cash included.
    pub account: Weights,
    /// How much is at work.
    pub exposure: Exposure,
    /// How few positions hold it.
    pub concentration: Concentration,
}

/// Sums of position values over net asset value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exposure {
    pub gross: f64,
    pub net: f64,
    pub long: f64,
    pub short: f64,
    pub cash: f64,
}

/// From shares of the gross value of positions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Concentration {
    /// The Herfindahl-Hirschman index: the sum of squared shares.
    pub hhi: Option<f64>,
    /// One over the index.
    pub effective_n: Option<f64>,
    /// The largest share.
    pub top1: Option<f64>,
    /// The five largest.
    pub top5: Option<f64>,
    /// The ten largest.
    pub top10: Option<f64>,
    /// The number of positions.
    pub n: usize,
}

impl Allocation {
    /// Of a valued ledger; `None` when net asset value is not positive.
    pub fn of(ledger: &Ledger<'_>, valuation: &Valuation) -> Option<Allocation> {
        if !valuation.nav.is_positive() {
            return None;
        }
        let groupings = ledger.market().groupings();
        let shares = Shares::new(valuation);
        Some(Allocation {
            asset: shares.by_asset(ledger),
            class: shares.by_group(&groupings.class),
            sector: shares.by_group(&groupings.sector),
            currency: shares.by_currency(),
            country: shares.by_group(&groupings.country),
            account: shares.by_account(ledger),
            exposure: shares.exposure(),
            concentration: concentration(valuation),
        })
    }

    /// The same without [`Allocation::asset`].
    pub(crate) fn without_assets(&self) -> Allocation {
        Allocation {
            asset: Weights::new(),
            class: self.class.clone(),
            sector: self.sector.clone(),
            currency: self.currency.clone(),
            country: self.country.clone(),
            account: self.account.clone(),
            exposure: self.exposure.clone(),
            concentration: self.concentration.clone(),
        }
    }
}

/// Values as shares of net asset value.
struct Shares<'v> {
    valuation: &'v Valuation,
    nav: f64,
}

impl<'v> Shares<'v> {
    fn new(valuation: &'v Valuation) -> Shares<'v> {
        let nav = valuation.nav.to_f64();
        Shares { valuation, nav }
    }

    fn share(&self, value: Decimal) -> f64 {
        value.to_f64() / self.nav
    }

    /// Cash in base currency, where there is some.
    fn cash(&self) -> impl Iterator<Item = (Currency, Decimal)> {
        let cash = self.valuation.cash.iter();
        let in_base = cash.map(|(currency, (_, base))| (*currency, *base));
        in_base.filter(|(_, base)| !base.is_zero())
    }

    /// By symbol, which two assets may share.
    fn by_asset(&self, ledger: &Ledger<'_>) -> Weights {
        let held = self.valuation.values();
        let held = held.map(|(asset, value)| (ledger.market().symbol(asset), value));
        let cash = self.cash();
        let cash = cash.map(|(currency, base)| (cash_of(currency), base));
        let mut values: Vec<(CompactString, Decimal)> = held.chain(cash).collect();
        values.sort_by(|(a, _), (b, _)| a.cmp(b));
        values.dedup_by(|(symbol, value), (before, sum)| {
            let is_same = symbol == before;
            if is_same {
                *sum += *value;
            }
            is_same
        });
        let values = values.into_iter();
        let named = values.map(|(symbol, value)| (symbol, self.share(value)));
        named.collect()
    }

    fn by_group(&self, grouping: &Grouping) -> Weights {
        let mut sums: Vec<Option<Decimal>> = vec![None; grouping.names().len()];
        let mut add = |group: usize, value| *sums[group].get_or_insert_default() += value;
        for (asset, value) in self.valuation.values() {
            add(grouping.of_asset(asset), value);
        }
        for (_, base) in self.cash() {
            add(grouping.of_cash(), base);
        }
        let named = grouping.names().iter().zip(sums);
        let shares =
            named.filter_map(|(name, sum)| Some((CompactString::from(name), self.share(sum?))));
        shares.collect()
    }

    fn by_currency(&self) -> Weights {
        let positions = self.valuation.positions.values();
        let held = positions.map(|position| (position.currency, position.value_base));
        let mut sums: BTreeMap<Currency, Decimal> = BTreeMap::new();
        for (currency, value) in held.chain(self.cash()) {
            *sums.entry(currency).or_default() += value;
        }
        self.named(sums, |currency| currency.to_compact_string())
    }

    fn by_account(&self, ledger: &Ledger<'_>) -> Weights {
        let mut sums: BTreeMap<AccountId, Decimal> = BTreeMap::new();
        for position in self.valuation.positions.values() {
            for (account, value) in &position.by_account {
                *sums.entry(*account).or_default() += *value;
            }
        }
        for ((account, currency), amount) in ledger.cash() {
            let rate = ledger.rate(*currency, self.valuation.date);
            let base = rate.ok().and_then(|rate| amount.mul(rate, MONEY).ok());
            if let Some(base) = base.filter(|base| !base.is_zero()) {
                *sums.entry(*account).or_default() += base;
            }
        }
        self.named(sums, |account| account.0.to_compact_string())
    }

    fn named<K>(&self, sums: BTreeMap<K, Decimal>, name: impl Fn(K) -> CompactString) -> Weights {
        let sums = sums.into_iter();
        sums.map(|(key, sum)| (name(key), self.share(sum)))
            .collect()
    }

    fn exposure(&self) -> Exposure {
        let values = || self.valuation.values().map(|(_, value)| value);
        let long: Decimal = values().filter(|value| value.is_positive()).sum();
        let short: Decimal = values().filter(|value| value.is_negative()).sum();
        Exposure {
            gross: self.share(long - short),
            net: self.share(long + short),
            long: self.share(long),
            short: self.share(-short),
            cash: self.share(self.valuation.cash_base()),
        }
    }
}

fn concentration(valuation: &Valuation) -> Concentration {
    let values: Vec<Decimal> = valuation
        .positions
        .values()
        .map(|position| position.value_base.abs())
        .collect();
    let gross: Decimal = values.iter().copied().sum();
    if !gross.is_positive() {
        return Concentration {
            hhi: None,
            effective_n: None,
            top1: None,
            top5: None,
            top10: None,
            n: 0,
        };
    }
    let whole = gross.to_f64();
    let mut shares: Vec<f64> = values.iter().map(|value| value.to_f64() / whole).collect();
    shares.sort_by(|a, b| b.total_cmp(a));
    let hhi: f64 = shares.iter().map(|share| share * share).sum();
    let top = |count: usize| Some(shares.iter().take(count).sum());
    Concentration {
        hhi: Some(hhi),
        effective_n: Some(1.0 / hhi),
        top1: top(1),
        top5: top(5),
        top10: top(10),
        n: shares.len(),
    }
}
