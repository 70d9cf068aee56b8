//! One line of an export, and its columns.

use std::borrow::Cow;

use jiff::civil::Date;
use portfolio::decimal::Decimal;
use portfolio::money::Currency;

/// The columns, in order.
pub const COLUMNS: [&str; 15] = [
    "section",
    "date",
    "portfolio",
    "symbol",
    "type",
    "quantity",
    "price",
    "currency",
    "amount",
    "fee",
    "tax",
    "value_base",
    "cost_base",
    "weight",
    "note",
];

/// The parts of an export, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Positions on the last day.
    Holding,
    /// Cash on the last day.
    Cash,
    /// Rows of the ledger in the range.
    Transaction,
    /// Net asset value of every grid day in the range.
    Nav,
    /// Dividends in the range.
    Income,
}

impl Section {
    /// The name in the first column.
    pub fn as_str(self) -> &'static str {
        match self {
            Section::Holding => "holding",
            Section::Cash => "cash",
            Section::Transaction => "transaction",
            Section::Nav => "nav",
            Section::Income => "income",
        }
    }
}

/// One line. A field that the section does not have is empty.
#[derive(Clone, Debug)]
pub struct Row<'s> {
    /// The part.
    pub section: Section,
    /// The day.
    pub date: Date,
    /// The portfolio's name.
    pub portfolio: &'s str,
    /// A ticker, or the currency of cash.
    pub symbol: Cow<'s, str>,
    /// A transaction's type.
    pub kind: Cow<'s, str>,
    /// Units.
    pub quantity: Option<Decimal>,
    /// In plain notation.
    pub price: Option<Cow<'s, str>>,
    /// Of `amount`, `fee`, `tax` and `price`.
    pub currency: Currency,
    /// Money.
    pub amount: Option<Decimal>,
    /// Money.
    pub fee: Option<Decimal>,
    /// Money.
    pub tax: Option<Decimal>,
    /// In the portfolio's base currency.
    pub value_base: Option<Decimal>,
    /// In the portfolio's base currency.
    pub cost_base: Option<Decimal>,
    /// Share of net asset value; none when that is not positive.
    pub weight: Option<f64>,
    /// A remark.
    pub note: Cow<'s, str>,
}

impl<'s> Row<'s> {
    /// A row with nothing but what every row has.
    pub fn new(section: Section, date: Date, portfolio: &'s str, currency: Currency) -> Row<'s> {
        Row {
            section,
            date,
            portfolio,
            currency,
            symbol: Cow::Borrowed(""),
            kind: Cow::Borrowed(""),
            quantity: None,
            price: None,
            amount: None,
            fee: None,
            tax: None,
            value_base: None,
            cost_base: None,
            weight: None,
            note: Cow::Borrowed(""),
        }
    }

    /// The cells in the order of [`COLUMNS`]; the empty text where there is nothing.
    pub fn cells(&self) -> [Cow<'_, str>; COLUMNS.len()] {
        [
            Cow::Borrowed(self.section.as_str()),
            Cow::Owned(self.date.to_string()),
            Cow::Borrowed(self.portfolio),
            Cow::Borrowed(&*self.symbol),
            Cow::Borrowed(&*self.kind),
            decimal(self.quantity),
            Cow::Borrowed(self.price.as_deref().unwrap_or_default()),
            Cow::Borrowed(self.currency.as_str()),
            decimal(self.amount),
            decimal(self.fee),
            decimal(self.tax),
            decimal(self.value_base),
            decimal(self.cost_base),
            self.weight.map_or(Cow::Borrowed(""), |weight| {
                Cow::Owned(format!("{weight:.6}"))
            }),
            Cow::Borrowed(&*self.note),
        ]
    }
}

fn decimal(value: Option<Decimal>) -> Cow<'static, str> {
    value.map_or(Cow::Borrowed(""), |value| Cow::Owned(value.to_string()))
}
