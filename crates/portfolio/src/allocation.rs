//! Where the value lies: weights by dimension, exposure and concentration.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decimal::Decimal;
use crate::ledger::{AccountId, Ledger};
use crate::market::AssetIx;
use crate::valuation::{Position, Valuation};

/// Weights by name.
pub type Weights = BTreeMap<String, f64>;

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
        let mut sums = Sums::default();
        for (asset, position) in &valuation.positions {
            sums.add_position(ledger, *asset, position);
        }
        for (currency, (_, base)) in &valuation.cash {
            sums.add_cash(currency.as_str(), *base);
        }
        sums.add_account_cash(ledger, valuation);
        Some(sums.weigh(valuation))
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

/// Values by name, for each dimension, and by account.
#[derive(Default)]
struct Sums<'n> {
    dimensions: [BTreeMap<Cow<'n, str>, Decimal>; 5],
    accounts: BTreeMap<AccountId, Decimal>,
}

impl<'n> Sums<'n> {
    fn add(&mut self, names: [Cow<'n, str>; 5], value: Decimal) {
        for (sums, name) in self.dimensions.iter_mut().zip(names) {
            *sums.entry(name).or_default() += value;
        }
    }

    fn add_position(&mut self, ledger: &'n Ledger<'_>, asset: AssetIx, position: &'n Position) {
        let facts = ledger.market().asset(asset);
        let known = |name: &'n Option<String>| name.as_deref().unwrap_or("unknown");
        let names = [
            &facts.symbol,
            &facts.class,
            known(&facts.sector),
            position.currency.as_str(),
            known(&facts.country),
        ];
        self.add(names.map(Cow::Borrowed), position.value_base);
        for (account, value) in &position.by_account {
            *self.accounts.entry(*account).or_default() += *value;
        }
    }

    fn add_cash(&mut self, currency: &'n str, base: Decimal) {
        if !base.is_zero() {
            let asset = Cow::Owned(format!("CASH:{currency}"));
            let [class, sector, country] = ["cash"; 3].map(Cow::Borrowed);
            self.add(
                [asset, class, sector, Cow::Borrowed(currency), country],
                base,
            );
        }
    }

    fn add_account_cash(&mut self, ledger: &Ledger<'_>, valuation: &Valuation) {
        for ((account, currency), amount) in ledger.cash() {
            let rate = ledger.rate(*currency, valuation.date);
            let base = rate
                .ok()
                .and_then(|rate| amount.mul(rate, crate::decimal::MONEY).ok());
            if let Some(base) = base.filter(|base| !base.is_zero()) {
                *self.accounts.entry(*account).or_default() += base;
            }
        }
    }

    fn weigh(self, valuation: &Valuation) -> Allocation {
        let nav = valuation.nav.to_f64();
        let [asset, class, sector, currency, country] = self.dimensions.map(|sums| {
            let shares = sums.into_iter();
            let named = shares.map(|(name, value)| (name.into_owned(), value.to_f64() / nav));
            named.collect::<Weights>()
        });
        let accounts = self.accounts.into_iter();
        let account = accounts
            .map(|(account, value)| (account.0.to_string(), value.to_f64() / nav))
            .collect();
        let exposure = exposure(valuation);
        Allocation {
            asset,
            class,
            sector,
            currency,
            country,
            account,
            exposure,
            concentration: concentration(valuation),
        }
    }
}

fn exposure(valuation: &Valuation) -> Exposure {
    let nav = valuation.nav.to_f64();
    let values = || {
        valuation
            .positions
            .values()
            .map(|position| position.value_base)
    };
    let share = |sum: Decimal| sum.to_f64() / nav;
    Exposure {
        gross: share(values().map(Decimal::abs).sum()),
        net: share(values().sum()),
        long: share(values().filter(|value| value.is_positive()).sum()),
        short: share(
            values()
                .filter(|value| value.is_negative())
                .map(Decimal::abs)
                .sum(),
        ),
        cash: share(valuation.cash_base()),
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
    let mut shares: Vec<f64> = values
        .iter()
        .map(|value| value.to_f64() / gross.to_f64())
        .collect();
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
