//! A user's portfolios to files: reports one by one, an export of them all. Blocking: for threads that may.

mod export;

pub use export::{Export, Exported, count_export, write_export};

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use jiff::civil::Date;
use portfolio::analytics::{View, Viewed};
use serde::{Deserialize, Serialize};

use crate::artefact::{Artefact, file_stem, hash_of, store};
use crate::contents::{ReportType, report, report_json};
use crate::document::Document;
use crate::error::{Error, Result};
use crate::export::{DateRange, rows, write_csv};
use crate::listing::render;
use crate::pdf::Typeface;
use crate::subject::{Names, Subject};
use crate::{html, pdf};

/// Changes whenever reports come out otherwise from the same input, so that old ones are not taken for current ones.
const LAYOUT: &str = "3";

/// What a report or an export can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The end of the files' names, by which reports made of different input lie side by side.
    pub tag: Option<&'r str>,
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

/// Writes a report on every portfolio of the view in which something has happened.
///
/// # Errors
/// What is wrong with a ledger, a font or a file.
pub fn write_reports(view: &View, wanted: &Reports<'_>) -> Result<Vec<Written>> {
    let typeface = Typeface::load()?;
    let mut written = Vec::new();
    for viewed in &view.portfolios {
        written.extend(write_reports_on(view, viewed, wanted, &typeface)?);
    }
    Ok(written)
}

/// Writes the reports on one portfolio of the view; none when nothing has happened in it.
///
/// # Errors
/// What is wrong with its ledger, a font or a file.
pub fn write_reports_on(
    view: &View,
    viewed: &Viewed,
    wanted: &Reports<'_>,
    typeface: &Typeface,
) -> Result<Vec<Written>> {
    let walk = viewed.walk(&view.market, wanted.from.into_iter().collect())?;
    let Some(walk) = &walk else {
        return Ok(Vec::new());
    };
    let settings = viewed.settings(&view.market);
    let subject = Subject::of(names(view, viewed), walk, wanted.from, settings)?
        .with_targets(view.targets.get(&viewed.row().id))?;
    let formats = wanted.formats.iter();
    formats
        .map(|format| write_report(&subject, viewed, wanted, *format, typeface))
        .collect()
}

/// A document that was written.
#[derive(Clone, Debug, Serialize)]
pub struct WrittenDocument {
    /// What it was written as.
    pub format: Format,
    /// The file.
    #[serde(flatten)]
    pub artefact: Artefact,
}

/// Writes a document as each of these formats, as files of this name.
///
/// # Errors
/// What is wrong with a font or a file.
pub fn write_document(
    document: &Document,
    formats: &[Format],
    folder: &Path,
    stem: &str,
) -> Result<Vec<WrittenDocument>> {
    let write = |format: &Format| {
        let (bytes, name) = (
            render(document, *format)?,
            format!("{stem}.{}", format.as_str()),
        );
        let write = |output: &mut dyn Write| output.write_all(&bytes).map_err(Error::Write);
        Ok(WrittenDocument {
            format: *format,
            artefact: store(folder, &name, write)?,
        })
    };
    formats.iter().map(write).collect()
}

/// The hash of everything that reports on these portfolios depend on, besides their type and range.
pub fn input_hash<'v>(view: &'v View, portfolios: impl IntoIterator<Item = &'v Viewed>) -> String {
    let View {
        owner,
        owner_currency,
        asset_names,
        notes,
        ..
    } = view;
    let names = format!("{LAYOUT}{owner}{owner_currency}{asset_names:?}{notes:?}");
    let portfolios = portfolios.into_iter();
    let portfolios: Vec<String> = portfolios
        .map(|viewed| format!("{}{}", viewed.input_hash(), targets(view, viewed)))
        .collect();
    hash_of(
        [names.as_str()]
            .into_iter()
            .chain(portfolios.iter().map(String::as_str)),
    )
}

/// What proposals depend on beside the ledger: the plan, and prices of what is not held yet.
fn targets(view: &View, viewed: &Viewed) -> String {
    let Some(plan) = view.targets.get(&viewed.row().id) else {
        return String::new();
    };
    let assets = plan.symbols().filter_map(|symbol| view.market.find(symbol));
    let prices = assets.map(|asset| view.market.asset(asset).price(viewed.as_of()));
    format!("{plan:?}{:?}", prices.collect::<Vec<_>>())
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
        "{}-{}-{}-{to}{}.{}",
        file_stem(&subject.names.portfolio),
        viewed.row().id,
        wanted.kind.as_str(),
        tagged(wanted.tag),
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

fn tagged(tag: Option<&str>) -> String {
    tag.map_or_else(String::new, |tag| format!("-{tag}"))
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

fn names(view: &View, viewed: &Viewed) -> Names {
    Names {
        portfolio: viewed.row().name.clone(),
        owner: view.owner.clone(),
        assets: view.asset_names.clone(),
        notes: view.notes.clone(),
    }
}
