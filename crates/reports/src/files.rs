//! A user's portfolios to files: reports one by one, an export of them all. Blocking: for threads that may.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use jiff::civil::Date;
use portfolio::analytics::{View, Viewed};
use portfolio::money::Currency;
use portfolio::series::Walk;
use serde::Serialize;

use crate::artefact::{Artefact, file_stem, store};
use crate::contents::{ReportType, report, report_json};
use crate::error::{Error, Result};
use crate::export::{DateRange, Header, rows, write_csv, write_json};
use crate::pdf::Typeface;
use crate::subject::{Names, Subject};
use crate::{html, pdf};

/// What a report or an export can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For paper.
    Pdf,
    /// For a browser.
    Html,
    /// For a spreadsheet.
    Csv,
    /// For programs.
    Json,
}

impl Format {
    /// The name and the file's ending.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Pdf => "pdf",
            Format::Html => "html",
            Format::Csv => "csv",
            Format::Json => "json",
        }
    }
}

/// Which reports to write.
#[derive(Debug)]
pub struct Reports<'r> {
    /// What they say.
    pub kind: ReportType,
    /// The opening day, exclusive; without one inception.
    pub from: Option<Date>,
    /// What they are written as.
    pub formats: &'r [Format],
    /// Where to.
    pub folder: &'r Path,
}

/// A report that was written.
#[derive(Clone, Debug, Serialize)]
pub struct Written {
    /// The portfolio.
    pub portfolio_id: i64,
    /// What it was written as.
    pub format: Format,
    /// The opening day, exclusive.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// The file.
    #[serde(flatten)]
    pub artefact: Artefact,
    /// Characters that no font has.
    pub missing: BTreeSet<char>,
}

/// An export that was written.
#[derive(Clone, Debug, Serialize)]
pub struct Exported {
    /// The file.
    #[serde(flatten)]
    pub artefact: Artefact,
    /// Without the header.
    pub rows: u64,
}

/// Writes a report on every portfolio of the view in which something has happened.
///
/// # Errors
/// What is wrong with a ledger, a font or a file.
pub fn write_reports(view: &View, wanted: &Reports<'_>) -> Result<Vec<Written>> {
    let typeface = Typeface::load()?;
    let mut written = Vec::new();
    for viewed in &view.portfolios {
        let walk = viewed.walk(&view.market, wanted.from.into_iter().collect())?;
        let Some(walk) = &walk else { continue };
        let settings = viewed.settings(&view.market);
        let subject = Subject::of(names(view, viewed), walk, wanted.from, settings)?;
        for format in wanted.formats {
            written.push(write_report(&subject, viewed, wanted, *format, &typeface)?);
        }
    }
    Ok(written)
}

fn write_report(
    subject: &Subject<'_>,
    viewed: &Viewed,
    wanted: &Reports<'_>,
    format: Format,
    typeface: &Typeface,
) -> Result<Written> {
    let document = || report(subject, wanted.kind);
    let mut missing = BTreeSet::new();
    let bytes = match format {
        Format::Pdf => {
            let pdf = pdf::render(&document(), typeface)?;
            missing = pdf.missing;
            pdf.bytes
        }
        Format::Html => html::render(&document()).into_bytes(),
        Format::Json => {
            report_json(subject, wanted.kind).map_err(|error| Error::Write(error.into()))?
        }
        Format::Csv => csv_of(subject)?,
    };
    let (from, to) = (subject.figures.from, subject.figures.to);
    let name = format!(
        "{}-{}-{}-{to}.{}",
        file_stem(&subject.names.portfolio),
        viewed.row().id,
        wanted.kind.as_str(),
        format.as_str()
    );
    let write = |output: &mut dyn Write| output.write_all(&bytes).map_err(Error::Write);
    Ok(Written {
        portfolio_id: viewed.row().id,
        format,
        from,
        to,
        artefact: store(wanted.folder, &name, write)?,
        missing,
    })
}

/// A report's numbers as a spreadsheet has them: the export of its days.
fn csv_of(subject: &Subject<'_>) -> Result<Vec<u8>> {
    let range = DateRange {
        start: subject
            .figures
            .from
            .tomorrow()
            .unwrap_or(subject.figures.from),
        end: subject.figures.to,
    };
    let mut bytes = Vec::new();
    write_csv(&mut bytes, rows(std::slice::from_ref(subject), range))?;
    Ok(bytes)
}

/// Whose data to export and where to.
#[derive(Debug)]
pub struct Export<'e> {
    /// Whose.
    pub user_id: i64,
    /// The user's currency.
    pub base_currency: Currency,
    /// The first day; without one everything.
    pub start: Option<Date>,
    /// As JSON, else as CSV.
    pub json: bool,
    /// Where to.
    pub folder: &'e Path,
}

/// Exports all portfolios of the view into one file. Rows are written as they come.
///
/// # Errors
/// What is wrong with a ledger or the file.
pub fn write_export(view: &View, wanted: &Export<'_>) -> Result<Exported> {
    let mut walks: Vec<(&Viewed, Walk<'_>)> = Vec::new();
    for viewed in &view.portfolios {
        if let Some(walk) = viewed.walk(&view.market, Vec::new())? {
            walks.push((viewed, walk));
        }
    }
    let subjects = walks.iter().map(|(viewed, walk)| {
        Subject::of(
            names(view, viewed),
            walk,
            None,
            viewed.settings(&view.market),
        )
    });
    let subjects: Vec<Subject<'_>> = subjects.collect::<Result<_>>()?;
    let range = range(view, wanted.start, &subjects);
    let ending = if wanted.json { "json" } else { "csv" };
    let name = format!(
        "export-{}-{}-{}.{ending}",
        wanted.user_id, range.start, range.end
    );
    let header = Header {
        user_id: wanted.user_id,
        base_currency: wanted.base_currency,
        range,
    };
    let mut count = 0;
    let artefact = store(wanted.folder, &name, |output| {
        let rows = rows(&subjects, range);
        count = if wanted.json {
            write_json(output, header, rows)?
        } else {
            write_csv(output, rows)?
        };
        Ok(())
    })?;
    Ok(Exported {
        artefact,
        rows: count,
    })
}

/// From the first day of the oldest portfolio, unless said otherwise, to the last day of the view.
fn range(view: &View, start: Option<Date>, subjects: &[Subject<'_>]) -> DateRange {
    let end = view
        .portfolios
        .iter()
        .map(Viewed::as_of)
        .max()
        .unwrap_or(Date::MIN);
    let firsts = subjects
        .iter()
        .map(|subject| subject.figures.from.tomorrow().unwrap_or(Date::MIN));
    DateRange {
        start: start.or_else(|| firsts.min()).unwrap_or(end),
        end,
    }
}

fn names(view: &View, viewed: &Viewed) -> Names {
    Names {
        portfolio: viewed.row().name.clone(),
        owner: view.owner.clone(),
        assets: view.asset_names.clone(),
        notes: view.notes.clone(),
    }
}
