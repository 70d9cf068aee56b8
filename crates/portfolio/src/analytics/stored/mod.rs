//! What is stored of a portfolio: the payload of its row of analytics and those of its cache entries. Each fact is written once.
//!
//! The row holds the headline figures of all periods as a table, contributions since inception, the state on the last day and
//! warnings, from which [`PortfolioDigest`] is read back. Whatever else can be shown (contributions, months, years and rolling
//! windows of any range) is made on request from ledger and prices. Positions lie in rows under named columns.

mod cache;
mod closing;
mod figures;

pub(super) use cache::cache_values;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use self::closing::StoredClosing;
use self::figures::{FiguresRow, Names};
use super::compute::Computed;
use super::digest::PortfolioDigest;
use super::envelope::Issue;
use super::period::Period;
use crate::allocation::Weights;
use crate::figures::Closing;
use crate::money::Currency;

/// The payload of a portfolio's row.
#[derive(Debug, Serialize)]
struct Payload<'a> {
    /// `ok`, or `empty` when nothing has happened.
    status: &'static str,
    /// The names of what is in the rows of `periods`.
    columns: Names,
    periods: Vec<FiguresRow<'a>>,
    /// Since inception.
    contribution: Option<&'a Weights>,
    closing: Option<StoredClosing<'a>>,
    warnings: &'a [Issue],
}

/// What a digest is read back from.
#[derive(Deserialize)]
struct KeptPayload<'a> {
    contribution: Option<Weights>,
    #[serde(borrow)]
    closing: Option<StoredClosing<'a>>,
    warnings: Vec<Issue>,
}

/// The payload of a portfolio's row of analytics.
pub(super) fn payload(computed: &Computed) -> String {
    let figures = |period: &Period| {
        let mut periods = computed.periods.iter();
        let found = periods.find(|(found, _)| found == period);
        FiguresRow {
            period: *period,
            figures: found.map(|(_, figures)| figures),
        }
    };
    let closing = computed.closing.as_ref();
    json(&Payload {
        status: if closing.is_some() { "ok" } else { "empty" },
        columns: Names,
        periods: Period::STORED.iter().map(figures).collect(),
        contribution: figures(&Period::Max)
            .figures
            .and_then(|figures| figures.contribution.as_ref()),
        closing: closing.map(|closing| StoredClosing::of(closing, &computed.cash_base)),
        warnings: &computed.warnings,
    })
}

/// The digest of a portfolio of `base` on a day, out of its payload; `None` when that has another shape.
pub(super) fn digest(payload: &str, base: Currency, as_of: Date) -> Option<PortfolioDigest> {
    let kept: KeptPayload<'_> = serde_json::from_str(payload).ok()?;
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

/// The state on the last day, out of a portfolio's payload.
pub(super) fn closing(payload: &str) -> Option<Closing> {
    let kept: KeptPayload<'_> = serde_json::from_str(payload).ok()?;
    kept.closing.map(StoredClosing::whole)
}

pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("figures are plain data under text keys")
}
