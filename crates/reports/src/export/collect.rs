//! Subjects to rows: sections in order, within them portfolio name, date, symbol, id.

use std::borrow::Cow;

use jiff::civil::Date;
use portfolio::decimal::{Decimal, MONEY};
use portfolio::ledger::{Entry, IncomeItem, Kind};
use portfolio::market::AssetIx;

use super::row::{Row, Section};
use crate::subject::Subject;

/// The days of an export, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateRange {
    /// The first day.
    pub start: Date,
    /// The last day; holdings are as of it.
    pub end: Date,
}

impl DateRange {
    fn holds(&self, date: Date) -> bool {
        self.start <= date && date <= self.end
    }
}

/// All rows. The subjects must have been walked to the range's end, from inception.
pub fn rows<'s>(subjects: &'s [Subject<'s>], range: DateRange) -> impl Iterator<Item = Row<'s>> {
    let mut sorted: Vec<&'s Subject<'s>> = subjects.iter().collect();
    sorted.sort_by(|a, b| a.names.portfolio.cmp(&b.names.portfolio));
    let sections: [for<'a> fn(&'a Subject<'a>, DateRange) -> Vec<Row<'a>>; 5] =
        [holdings, cash, transactions, values, income];
    sections.into_iter().flat_map(move |section| {
        sorted
            .clone()
            .into_iter()
            .flat_map(move |subject| section(subject, range))
    })
}

fn holdings<'s>(subject: &'s Subject<'s>, range: DateRange) -> Vec<Row<'s>> {
    let closing = &subject.closing;
    let positions = closing.positions.iter().map(|(symbol, position)| Row {
        symbol: Cow::Borrowed(symbol),
        quantity: Some(position.quantity),
        price: Some(Cow::Borrowed(&position.price)),
        value_base: Some(position.value_base),
        cost_base: Some(position.cost_base),
        weight: weight(position.value_base, closing.nav),
        ..row(Section::Holding, range.end, subject, position.currency)
    });
    positions.collect()
}

fn cash<'s>(subject: &'s Subject<'s>, range: DateRange) -> Vec<Row<'s>> {
    let closing = &subject.walk.closing;
    let balances = closing.cash.iter().map(|(currency, (amount, base))| Row {
        symbol: Cow::Owned(currency.to_string()),
        amount: Some(*amount),
        value_base: Some(*base),
        weight: weight(*base, closing.nav),
        ..row(Section::Cash, range.end, subject, *currency)
    });
    balances.collect()
}

fn transactions<'s>(subject: &'s Subject<'s>, range: DateRange) -> Vec<Row<'s>> {
    let entries = subject.walk.ledger.entries().iter();
    let mut entries: Vec<&Entry> = entries.filter(|entry| range.holds(entry.date)).collect();
    entries.sort_by_key(|entry| (entry.date, symbol(subject, entry.asset), entry.id));
    entries
        .into_iter()
        .map(|entry| transaction(subject, entry))
        .collect()
}

fn transaction<'s>(subject: &'s Subject<'s>, entry: &'s Entry) -> Row<'s> {
    let ledger = &subject.walk.ledger;
    let of_asset = || {
        entry
            .asset
            .map(|asset| ledger.market().asset(asset).currency)
    };
    let currency = entry
        .currency
        .or_else(of_asset)
        .unwrap_or(ledger.rules().base);
    Row {
        symbol: Cow::Borrowed(symbol(subject, entry.asset)),
        kind: Cow::Borrowed(entry.kind.as_str()),
        quantity: entry.quantity,
        price: entry.price.map(|price| Cow::Owned(price.to_string())),
        amount: entry.amount.or_else(|| product(entry)),
        fee: Some(entry.fee),
        tax: Some(entry.tax),
        note: note(subject, entry),
        ..row(Section::Transaction, entry.date, subject, currency)
    }
}

/// A trade without an amount is worth quantity times price.
fn product(entry: &Entry) -> Option<Decimal> {
    entry.quantity?.mul(entry.price?, MONEY).ok()
}

/// The row's own remark; of a conversion without one what was bought.
fn note<'s>(subject: &'s Subject<'s>, entry: &Entry) -> Cow<'s, str> {
    if let Some(note) = subject
        .names
        .notes
        .get(&entry.id)
        .filter(|note| !note.is_empty())
    {
        return Cow::Borrowed(note);
    }
    match (&entry.kind, entry.to_amount, entry.to_currency) {
        (Kind::FxConversion, Some(amount), Some(currency)) => {
            Cow::Owned(format!("to {amount} {currency}"))
        }
        _ => Cow::Borrowed(""),
    }
}

fn values<'s>(subject: &'s Subject<'s>, range: DateRange) -> Vec<Row<'s>> {
    let days = subject.window.days.iter();
    let values = days.filter(|day| range.holds(day.date)).map(|day| Row {
        value_base: Some(day.nav),
        ..row(Section::Nav, day.date, subject, subject.closing.base)
    });
    values.collect()
}

fn income<'s>(subject: &'s Subject<'s>, range: DateRange) -> Vec<Row<'s>> {
    let items = subject.walk.ledger.income().iter();
    let mut items: Vec<&IncomeItem> = items.filter(|item| range.holds(item.date)).collect();
    items.sort_by_key(|item| (item.date, symbol(subject, item.asset)));
    let rows = items.into_iter().map(|item| Row {
        symbol: Cow::Borrowed(symbol(subject, item.asset)),
        kind: Cow::Borrowed(Kind::Dividend.as_str()),
        amount: Some(item.amount),
        tax: Some(item.tax),
        value_base: Some(item.amount_base),
        ..row(Section::Income, item.date, subject, item.currency)
    });
    rows.collect()
}

fn row<'s>(
    section: Section,
    date: Date,
    subject: &'s Subject<'s>,
    currency: portfolio::money::Currency,
) -> Row<'s> {
    Row::new(section, date, &subject.names.portfolio, currency)
}

fn symbol<'s>(subject: &Subject<'s>, asset: Option<AssetIx>) -> &'s str {
    asset.map_or("", |asset| {
        subject.walk.ledger.market().asset(asset).symbol.as_str()
    })
}

fn weight(value: Decimal, nav: Decimal) -> Option<f64> {
    nav.is_positive().then(|| value.to_f64() / nav.to_f64())
}
