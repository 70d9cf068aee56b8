//! A benchmark of indices: a fixed share in each, rebalanced every day; what the shares leave of one is cash that earns nothing.

use jiff::civil::Date;

use crate::decimal::Decimal;
use crate::market::{ActionKind, Asset, Market};
use crate::money::Currency;
use crate::series::Window;
use crate::targets::{Target, TargetPlan};

/// The group of cash.
pub(crate) const CASH: &str = "cash";

/// One group of the benchmark.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Component {
    /// Its name.
    pub(crate) group: String,
    /// Its share.
    pub(crate) weight: f64,
    /// What its index returned on each day of the window, dividends included, in the portfolio's currency.
    pub(crate) returns: Vec<f64>,
}

/// Why there is no benchmark.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MixError {
    /// A group without index.
    #[error(
        "no symbol says what {0} returned: name one, such as {0}=40:AGG, or with targets set --buy {0}=AGG"
    )]
    NoIndex(String),
    /// An index that is not known.
    #[error("asset {0} does not exist")]
    Unknown(String),
    /// An index that was not quoted yet.
    #[error("there is no price of {symbol}, or no rate of its currency, on {date}")]
    NoPrice {
        /// The index.
        symbol: String,
        /// The day.
        date: Date,
    },
}

/// The groups of a plan as a benchmark over a window.
pub(crate) fn components(
    plan: &TargetPlan,
    market: &Market,
    base: Currency,
    window: &Window,
) -> Result<Vec<Component>, MixError> {
    let groups = plan.targets.iter();
    let groups = groups.map(|target| {
        Ok(Component {
            group: target.name.clone(),
            weight: target.weight.to_f64(),
            returns: proxy(plan, target, market)?.returns(base, window)?,
        })
    });
    let mut all = groups.collect::<Result<Vec<Component>, MixError>>()?;
    let shares: Decimal = plan.targets.iter().map(|target| target.weight).sum();
    let cash = Decimal::ONE - shares;
    if cash.is_positive() {
        all.push(Component {
            group: CASH.to_owned(),
            weight: cash.to_f64(),
            returns: vec![0.0; window.days.len()],
        });
    }
    Ok(all)
}

fn proxy<'m>(
    plan: &TargetPlan,
    target: &Target,
    market: &'m Market,
) -> Result<Proxy<'m>, MixError> {
    let symbol = plan
        .symbol(target)
        .ok_or_else(|| MixError::NoIndex(target.name.clone()))?;
    let found = market.find(symbol);
    let found = found.ok_or_else(|| MixError::Unknown(symbol.to_owned()))?;
    Ok(Proxy {
        market,
        asset: market.asset(found),
    })
}

/// An asset that stands for a group.
struct Proxy<'m> {
    market: &'m Market,
    asset: &'m Asset,
}

impl Proxy<'_> {
    fn returns(&self, base: Currency, window: &Window) -> Result<Vec<f64>, MixError> {
        let dates = window.days.iter().map(|day| day.date);
        let mut before = (window.from, self.worth(base, window.from)?);
        let returns = dates.map(|date| {
            let (shares, dividends) = self.made_of_one(before.0, date, base)?;
            let worth = self.worth(base, date)?;
            let earned = (shares * worth + dividends) / before.1 - 1.0;
            before = (date, worth);
            Ok(earned)
        });
        returns.collect()
    }

    /// What one share is worth.
    fn worth(&self, base: Currency, date: Date) -> Result<f64, MixError> {
        let price = self.asset.price(date);
        let price = price.map(|price| price.close.to_f64() / price.divisor.to_f64());
        let rate = self.rate(self.asset.currency, base, date);
        let worth = price.zip(rate).map(|(price, rate)| price * rate);
        worth
            .filter(|worth| *worth > 0.0)
            .ok_or_else(|| MixError::NoPrice {
                symbol: self.asset.symbol.clone(),
                date,
            })
    }

    fn rate(&self, currency: Currency, base: Currency, date: Date) -> Option<f64> {
        let rate = self.market.rates().rate(currency, base, date);
        rate.map(Decimal::to_f64)
    }

    /// What one share of the day before has become: so many shares, and so much in dividends.
    fn made_of_one(
        &self,
        before: Date,
        date: Date,
        base: Currency,
    ) -> Result<(f64, f64), MixError> {
        let (mut shares, mut dividends) = (1.0, 0.0);
        let actions = self.asset.actions.iter();
        for action in actions.filter(|action| before < action.ex_date && action.ex_date <= date) {
            match action.kind {
                ActionKind::Split => shares *= action.value.to_f64(),
                ActionKind::Dividend => {
                    let currency = action.currency.unwrap_or(self.asset.currency);
                    let rate = self.rate(currency, base, date);
                    let rate = rate.ok_or_else(|| MixError::NoPrice {
                        symbol: self.asset.symbol.clone(),
                        date,
                    })?;
                    dividends += shares * action.value.to_f64() * rate;
                }
            }
        }
        Ok((shares, dividends))
    }
}
