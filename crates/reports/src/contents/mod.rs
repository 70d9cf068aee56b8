//! What the reports say. Every type opens with the key figures and the charts and lists the holdings; they differ in between.

mod about;
mod export;
mod gains;
mod holdings;
mod income;
mod overview;
mod performance;
mod reconciliation;
mod rolling;
mod series;
mod sources;
mod targets;

pub use export::export;
pub use holdings::section;
pub use reconciliation::{reconciliation, reconciliation_report};

use serde::Serialize;

use crate::document::{Block, Document};
use crate::format::NOTHING;
use crate::subject::Subject;

/// The types of report on a portfolio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportType {
    /// Everything.
    Comprehensive,
    /// Returns and risk.
    Performance,
    /// What is held, and in which lots.
    Holdings,
    /// Dividends.
    Income,
    /// Realised gains by lot and term.
    Tax,
}

impl ReportType {
    /// Every type, as commands list them.
    pub const ALL: [ReportType; 5] = [
        ReportType::Comprehensive,
        ReportType::Performance,
        ReportType::Holdings,
        ReportType::Income,
        ReportType::Tax,
    ];

    /// The name in arguments and file names.
    pub fn as_str(self) -> &'static str {
        match self {
            ReportType::Comprehensive => "comprehensive",
            ReportType::Performance => "performance",
            ReportType::Holdings => "holdings",
            ReportType::Income => "income",
            ReportType::Tax => "tax",
        }
    }

    /// From the name.
    pub fn parse(text: &str) -> Option<ReportType> {
        ReportType::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }

    fn title(self) -> &'static str {
        match self {
            ReportType::Comprehensive => "Portfolio report",
            ReportType::Performance => "Performance report",
            ReportType::Holdings => "Holdings report",
            ReportType::Income => "Income report",
            ReportType::Tax => "Tax report",
        }
    }
}

/// The report of one portfolio.
pub fn report(subject: &Subject<'_>, kind: ReportType) -> Document {
    let mut blocks = overview::blocks(subject);
    let sections: &[fn(&Subject<'_>) -> Vec<Block>] = match kind {
        ReportType::Comprehensive => &[
            performance::returns,
            sources::blocks,
            holdings::positions,
            holdings::cash,
            targets::blocks,
            performance::risk,
            rolling::blocks,
            performance::monthly,
            income::blocks,
            gains::by_year,
            about::blocks,
        ],
        ReportType::Performance => &[
            performance::returns,
            sources::blocks,
            performance::risk,
            rolling::blocks,
            performance::monthly,
            performance::contributions,
            holdings::positions,
            about::blocks,
        ],
        ReportType::Holdings => &[
            holdings::positions,
            holdings::cash,
            targets::blocks,
            holdings::lots,
        ],
        ReportType::Income => &[income::blocks, income::payments, holdings::positions],
        ReportType::Tax => &[gains::by_year, gains::by_lot, holdings::positions],
    };
    blocks.extend(sections.iter().flat_map(|section| section(subject)));
    Document {
        title: subject.names.portfolio.clone(),
        subtitle: kind.title().to_owned(),
        facts: facts(subject),
        as_of: subject.closing.date,
        blocks,
    }
}

/// The same figures for programs: exact, nothing left out.
///
/// # Errors
/// Never: every figure has a JSON form.
pub fn report_json(subject: &Subject<'_>, kind: ReportType) -> serde_json::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Report<'r> {
        schema: &'static str,
        report_type: &'static str,
        portfolio: &'r str,
        owner: &'r str,
        figures: &'r portfolio::figures::PeriodFigures,
        gains: &'r portfolio::gains::Gains,
        closing: &'r portfolio::figures::Closing,
        #[serde(skip_serializing_if = "Option::is_none")]
        targets: Option<&'r portfolio::targets::Proposal>,
    }
    let report = Report {
        schema: "report/1",
        report_type: kind.as_str(),
        portfolio: &subject.names.portfolio,
        owner: &subject.names.owner,
        figures: &subject.figures,
        gains: &subject.gains,
        closing: &subject.closing,
        targets: subject.targets.as_ref(),
    };
    let mut bytes = serde_json::to_vec_pretty(&report)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn facts(subject: &Subject<'_>) -> Vec<(String, String)> {
    let (from, to) = (subject.figures.from, subject.figures.to);
    let first = from.tomorrow().unwrap_or(from);
    let owner = match subject.names.owner.as_str() {
        "" => NOTHING,
        owner => owner,
    };
    [
        ("Owner", owner.to_owned()),
        ("Period", format!("{first} to {to}")),
        ("As of", subject.closing.date.to_string()),
        ("Base currency", subject.closing.base.to_string()),
    ]
    .map(|(label, value)| (label.to_owned(), value))
    .to_vec()
}
