//! What is stored of a portfolio: its row of analytics, of which its cache entries are made. Each fact is written once.
//!
//! The row holds the headline figures of all periods as a table, contributions since inception, the state on the last day and
//! warnings, from which [`PortfolioDigest`] is read back. Whatever else can be shown (contributions, months, years and rolling
//! windows of any range) is made on request from ledger and prices. Positions lie in rows under named columns.
//!
//! It is packed (`packed`): a third of the room of its text, and made many times faster. Whoever asks for the text is given it
//! as it was when rows were stored as text (`text`), and rows that still are text are read as that.

mod cache;
mod closing;
mod figures;
mod headline;
mod packed;
mod text;

pub(crate) use cache::CACHED_PARTS;
pub(crate) use headline::Headline;

use std::borrow::Cow;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use self::closing::StoredClosing;
use self::figures::FiguresRow;
use self::packed::Warnings;
use super::compute::Computed;
use super::digest::PortfolioDigest;
use super::load::Target;
use super::period::Period;
use crate::allocation::Weights;
use crate::figures::Closing;
use crate::money::Currency;
use crate::store::Stored;

/// A portfolio's row.
#[derive(Debug, Serialize, Deserialize)]
struct Payload<'a> {
    base: Currency,
    #[serde(with = "crate::packed::day")]
    as_of: Date,
    #[serde(borrow)]
    periods: Vec<FiguresRow<'a>>,
    /// Since inception.
    contribution: Option<Cow<'a, Weights>>,
    #[serde(borrow)]
    closing: Option<StoredClosing<'a>>,
    warnings: Warnings<'a>,
}

impl<'a> Payload<'a> {
    fn of(target: &Target, computed: &'a Computed) -> Payload<'a> {
        let figures = |period: &Period| {
            let mut periods = computed.periods.iter();
            let found = periods.find(|(found, _)| found == period);
            found.map(|(_, figures)| figures)
        };
        let closing = computed.closing.as_ref();
        Payload {
            base: target.row.base_currency,
            as_of: target.as_of,
            periods: Period::STORED
                .iter()
                .map(|period| FiguresRow::of(*period, figures(period)))
                .collect(),
            contribution: figures(&Period::Max)
                .and_then(|figures| figures.contribution.as_ref())
                .map(Cow::Borrowed),
            closing: closing.map(|closing| StoredClosing::of(closing, &computed.cash_base)),
            warnings: Warnings(Cow::Borrowed(&computed.warnings)),
        }
    }
}

/// The row of a portfolio's figures.
pub(super) fn packed(target: &Target, computed: &Computed) -> Vec<u8> {
    packed::bytes(&Payload::of(target, computed))
}

/// The text of a row, for people and for readers of JSON; `None` when the row cannot be read.
pub(crate) fn text(stored: Stored) -> Option<String> {
    match stored {
        Stored::Text(text) => Some(text),
        Stored::Packed(bytes) => Some(text::of(&packed::read(&bytes)?)),
    }
}

/// The first figures of each period, of a portfolio's row; `None` when the row cannot be read.
pub(crate) fn headlines(stored: &Stored) -> Option<Vec<Headline>> {
    match stored {
        Stored::Text(text) => headline::of_text(text),
        Stored::Packed(bytes) => {
            let rows = packed::read(bytes)?.periods;
            Some(rows.iter().map(FiguresRow::headline).collect())
        }
    }
}

/// The value of a portfolio's cache entry, one of [`CACHED_PARTS`], out of its row; `None` when there is none in it.
pub(crate) fn cached(stored: &Stored, part: &str) -> Option<String> {
    match stored {
        Stored::Text(_) => None,
        Stored::Packed(bytes) => cache::value(&packed::read(bytes)?, part),
    }
}

/// The digest of a portfolio of `base` on a day, out of its row; `None` when that has another shape.
pub(super) fn digest(stored: &Stored, base: Currency, as_of: Date) -> Option<PortfolioDigest> {
    let kept = text::Kept::of(stored)?;
    let Some(closing) = kept.closing else {
        return Some(PortfolioDigest::empty(base, as_of, kept.warnings));
    };
    let cash_base = closing.cash_base.clone().into_owned();
    let closing = closing.whole();
    Some(PortfolioDigest::of(
        closing,
        &cash_base,
        kept.contribution.unwrap_or_default(),
        kept.warnings,
    ))
}

/// The state on the last day, out of a portfolio's row.
pub(super) fn closing(stored: &Stored) -> Option<Closing> {
    let kept = text::Kept::of(stored)?;
    kept.closing.map(StoredClosing::whole)
}

pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("figures are plain data under text keys")
}
