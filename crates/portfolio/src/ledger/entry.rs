//! One row of the ledger.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::book::Pick;
use crate::decimal::Decimal;
use crate::market::AssetIx;
use crate::money::Currency;

/// An account's row id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountId(pub i64);

/// What a row books.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Buy,
    Sell,
    Dividend,
    Interest,
    Fee,
    Tax,
    Deposit,
    Withdrawal,
    Split,
    TransferIn,
    TransferOut,
    FxConversion,
    ReturnOfCapital,
    Spinoff,
    SymbolChange,
    CashInLieu,
    /// A type this version does not know; applying it is an error.
    Unknown(Box<str>),
}

const NAMES: [(&str, Kind); 16] = [
    ("buy", Kind::Buy),
    ("sell", Kind::Sell),
    ("dividend", Kind::Dividend),
    ("interest", Kind::Interest),
    ("fee", Kind::Fee),
    ("tax", Kind::Tax),
    ("deposit", Kind::Deposit),
    ("withdrawal", Kind::Withdrawal),
    ("split", Kind::Split),
    ("transfer_in", Kind::TransferIn),
    ("transfer_out", Kind::TransferOut),
    ("fx_conversion", Kind::FxConversion),
    ("return_of_capital", Kind::ReturnOfCapital),
    ("spinoff", Kind::Spinoff),
    ("symbol_change", Kind::SymbolChange),
    ("cash_in_lieu", Kind::CashInLieu),
];

impl Kind {
    /// From the column's text; unknown texts are kept.
    pub fn parse(text: &str) -> Kind {
        NAMES
            .iter()
            .find(|(name, _)| *name == text)
            .map_or_else(|| Kind::Unknown(text.into()), |(_, kind)| kind.clone())
    }

    /// Whether a row of it is booked at the market's price of its day.
    pub(crate) fn is_booked_at_market(&self) -> bool {
        matches!(
            self,
            Kind::TransferIn | Kind::TransferOut | Kind::Spinoff | Kind::SymbolChange
        )
    }

    /// The column's text.
    pub fn as_str(&self) -> &str {
        match self {
            Kind::Unknown(text) => text,
            known => NAMES
                .iter()
                .find(|(_, kind)| kind == known)
                .map_or("", |(name, _)| name),
        }
    }
}

/// How lots are chosen when a position is reduced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LotMethod {
    /// Oldest first.
    #[default]
    Fifo,
    /// Newest first.
    Lifo,
    /// Highest unit cost first, then oldest.
    Hifo,
    /// One pool at average cost.
    Avg,
    /// As the row's picks say; oldest first without picks.
    Specific,
}

impl LotMethod {
    /// Every method.
    pub const ALL: [LotMethod; 5] = [
        LotMethod::Fifo,
        LotMethod::Lifo,
        LotMethod::Hifo,
        LotMethod::Avg,
        LotMethod::Specific,
    ];

    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            LotMethod::Fifo => "fifo",
            LotMethod::Lifo => "lifo",
            LotMethod::Hifo => "hifo",
            LotMethod::Avg => "avg",
            LotMethod::Specific => "specific",
        }
    }

    /// The method of this name.
    pub fn parse(name: &str) -> Option<LotMethod> {
        LotMethod::ALL
            .into_iter()
            .find(|method| method.as_str() == name)
    }
}

/// A ledger row. Fees and taxes are positive; an absent `amount` of a trade is `quantity * price`.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The row's id; also the id of the lot it opens.
    pub id: i64,
    /// The account that holds the lots.
    pub account: AccountId,
    /// What is booked.
    pub kind: Kind,
    /// The exchange's local date.
    pub date: Date,
    /// Orders rows of one date; rows without come first.
    pub executed_at: Option<Timestamp>,
    /// The asset, where there is one.
    pub asset: Option<AssetIx>,
    /// Shares or units.
    pub quantity: Option<Decimal>,
    /// Price per unit.
    pub price: Option<Decimal>,
    /// Money in `currency`.
    pub amount: Option<Decimal>,
    /// Fee in `currency`.
    pub fee: Decimal,
    /// Tax in `currency`.
    pub tax: Decimal,
    /// The currency of the money; none means the asset's, or else the base currency.
    pub currency: Option<Currency>,
    /// The currency bought by a conversion.
    pub to_currency: Option<Currency>,
    /// The amount bought by a conversion.
    pub to_amount: Option<Decimal>,
    /// The new asset of a spin-off or symbol change.
    pub to_asset: Option<AssetIx>,
    /// New units per old unit.
    pub ratio: Option<Decimal>,
    /// The share of cost that a spin-off takes along.
    pub cost_fraction: Option<Decimal>,
    /// When transferred lots were bought.
    pub acquired_on: Option<Date>,
    /// Lots chosen by the seller.
    pub lot_picks: Vec<Pick>,
    /// Who recorded the row; external ids are unique within an account and source.
    pub source: String,
    /// The recorder's own id.
    pub external_id: Option<String>,
}

impl Entry {
    /// A row with nothing but the required fields.
    pub fn new(id: i64, account: AccountId, kind: Kind, date: Date) -> Entry {
        Entry {
            id,
            account,
            kind,
            date,
            executed_at: None,
            asset: None,
            quantity: None,
            price: None,
            amount: None,
            fee: Decimal::ZERO,
            tax: Decimal::ZERO,
            currency: None,
            to_currency: None,
            to_amount: None,
            to_asset: None,
            ratio: None,
            cost_fraction: None,
            acquired_on: None,
            lot_picks: Vec::new(),
            source: String::new(),
            external_id: None,
        }
    }
}
