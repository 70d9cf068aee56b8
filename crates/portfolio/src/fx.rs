//! Exchange rates as crosses of the European Central Bank's euro table (units of a currency per euro).

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::carried::Carried;
use crate::decimal::{Decimal, RATE};
use crate::money::Currency;

/// Units per euro, by currency.
#[derive(Clone, Debug, Default)]
pub struct RateTable {
    per_euro: BTreeMap<Currency, Carried<Decimal>>,
}

impl RateTable {
    /// From the rates of each currency.
    pub fn new(per_euro: BTreeMap<Currency, Carried<Decimal>>) -> RateTable {
        RateTable { per_euro }
    }

    /// Units of `base` per unit of `currency` on `date`, to 12 places; the last published rates hold.
    /// `None` when one of the two was not published yet.
    pub fn rate(&self, currency: Currency, base: Currency, date: Date) -> Option<Decimal> {
        if currency == base {
            return Some(Decimal::ONE);
        }
        let (base, currency) = (self.euro(base, date)?, self.euro(currency, date)?);
        base.div(currency, RATE).ok()
    }

    /// The currencies that the table knows.
    pub(crate) fn currencies(&self) -> impl Iterator<Item = Currency> {
        self.per_euro.keys().copied().chain([Currency::EUR])
    }

    /// Every rate with its currency and date, in a fixed order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Currency, Date, Decimal)> {
        self.per_euro
            .iter()
            .flat_map(|(currency, rates)| rates.iter().map(|(date, rate)| (*currency, date, *rate)))
    }

    fn euro(&self, currency: Currency, date: Date) -> Option<Decimal> {
        if currency == Currency::EUR {
            return Some(Decimal::ONE);
        }
        self.per_euro
            .get(&currency)?
            .at(date)
            .map(|(_, rate)| *rate)
    }
}
