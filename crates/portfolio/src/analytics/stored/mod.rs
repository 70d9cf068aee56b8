//! What is stored of a portfolio: the payloads of its rows of analytics and of its cache entries. Each fact is written once.
//!
//! The row of a period holds its headline figures. That of all time also holds contributions, the state on the last day and
//! warnings, from which [`PortfolioDigest`] is read back. Whatever else can be shown (contributions, months, years and rolling
//! windows of any range) is made on request from ledger and prices. Positions lie in rows under named columns.

mod cache;
mod closing;

pub(super) use cache::cache_values;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use self::closing::StoredClosing;
use super::compute::Computed;
use super::digest::PortfolioDigest;
use super::envelope::Issue;
use super::period::Period;
use crate::allocation::Weights;
use crate::decimal::Decimal;
use crate::figures::{Closing, PeriodFigures, PeriodTotals, TwrReason};
use crate::metrics::Stats;
use crate::money::Currency;
use crate::xirr::Xirr;

/// The payload of a row.
#[derive(Debug, Serialize)]
struct Payload<'a> {
    /// `ok`, or `empty` when nothing has happened.
    status: &'static str,
    figures: Option<Headline<'a>>,
    /// Only in the row of all time.
    #[serde(skip_serializing_if = "Option::is_none")]
    closing: Option<StoredClosing<'a>>,
    /// Only in the row of all time.
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<&'a [Issue]>,
}

/// The figures of a period, without what is broken down by asset or by time.
#[derive(Debug, Serialize)]
struct Headline<'a> {
    from: Date,
    to: Date,
    grid_points: usize,
    nav_start: Decimal,
    nav_end: Decimal,
    inflows: Decimal,
    outflows: Decimal,
    totals: PeriodTotals,
    realised_gain_base: Decimal,
    twr: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    twr_reason: Option<&'a TwrReason>,
    mwr: &'a Xirr,
    modified_dietz: Option<f64>,
    stats: Option<&'a Stats>,
    /// Only in the row of all time.
    #[serde(skip_serializing_if = "Option::is_none")]
    contribution: Option<&'a Weights>,
}

/// What a digest is read back from.
#[derive(Deserialize)]
struct KeptPayload<'a> {
    figures: Option<KeptFigures>,
    #[serde(borrow)]
    closing: Option<StoredClosing<'a>>,
    warnings: Vec<Issue>,
}

#[derive(Deserialize)]
struct KeptFigures {
    #[serde(default, deserialize_with = "super::exact::floats")]
    contribution: Weights,
}

/// The payload of one row of analytics.
pub(super) fn payload(computed: &Computed, period: Period) -> String {
    let mut periods = computed.periods.iter();
    let figures = periods.find(|(found, _)| *found == period);
    let all_time = period == Period::Max;
    let closing = computed.closing.as_ref().filter(|_| all_time);
    json(&Payload {
        status: if figures.is_some() { "ok" } else { "empty" },
        figures: figures.map(|(_, figures)| Headline::of(figures, all_time)),
        closing: closing.map(|closing| StoredClosing::of(closing, &computed.cash_base)),
        warnings: all_time.then_some(&computed.warnings),
    })
}

/// The digest of a portfolio of `base` on a day, out of the payload of all time; `None` when that has another shape.
pub(super) fn digest(payload: &str, base: Currency, as_of: Date) -> Option<PortfolioDigest> {
    let kept: KeptPayload<'_> = serde_json::from_str(payload).ok()?;
    let Some(closing) = kept.closing else {
        return Some(PortfolioDigest::empty(base, as_of, kept.warnings));
    };
    let cash_base = closing.cash_base.clone().into_owned();
    let contribution = kept.figures.map(|figures| figures.contribution);
    let closing = closing.whole();
    Some(PortfolioDigest::of(
        closing,
        &cash_base,
        contribution.unwrap_or_default(),
        kept.warnings,
    ))
}

/// The state on the last day, out of the payload of all time.
pub(super) fn closing(payload: &str) -> Option<Closing> {
    let kept: KeptPayload<'_> = serde_json::from_str(payload).ok()?;
    kept.closing.map(StoredClosing::whole)
}

pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("figures are plain data under text keys")
}

impl<'a> Headline<'a> {
    fn of(figures: &'a PeriodFigures, all_time: bool) -> Headline<'a> {
        let contribution = figures.contribution.as_ref();
        Headline {
            from: figures.from,
            to: figures.to,
            grid_points: figures.grid_points,
            nav_start: figures.nav_start,
            nav_end: figures.nav_end,
            inflows: figures.inflows,
            outflows: figures.outflows,
            totals: figures.totals,
            realised_gain_base: figures.realised_gain_base,
            twr: figures.twr,
            twr_reason: figures.twr_reason.as_ref(),
            mwr: &figures.mwr,
            modified_dietz: figures.modified_dietz,
            stats: figures.stats.as_ref(),
            contribution: contribution.filter(|_| all_time),
        }
    }
}
