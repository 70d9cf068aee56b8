//! All portfolios of a user in one file.

use std::io::Write;
use std::path::Path;

use jiff::civil::Date;
use portfolio::analytics::{View, Viewed};
use portfolio::money::Currency;
use portfolio::series::Walk;
use serde::Serialize;

use super::{Format, names, tagged};
use crate::artefact::{Artefact, store};
use crate::error::{Error, Result};
use crate::export::{DateRange, Header, rows, write_csv, write_json};
use crate::pdf::Typeface;
use crate::subject::Subject;
use crate::{contents, html, pdf};

/// Whose data to export and where to.
#[derive(Debug)]
pub struct Export<'e> {
    /// Whose.
    pub user_id: i64,
    /// The user's currency.
    pub base_currency: Currency,
    /// The first day; without one everything.
    pub start: Option<Date>,
    /// What it is written as.
    pub format: Format,
    /// Where to.
    pub folder: &'e Path,
    /// The end of the file's name.
    pub tag: Option<&'e str>,
}

/// An export that was written.
#[derive(Clone, Debug, Serialize)]
pub struct Exported {
    /// The file.
    #[serde(flatten)]
    pub artefact: Artefact,
    /// The days.
    #[serde(skip)]
    pub range: DateRange,
    /// Without the header.
    pub rows: u64,
}

/// Exports all portfolios of the view into one file. Rows are written as they come.
///
/// # Errors
/// What is wrong with a ledger, a font or the file.
pub fn write_export(view: &View, wanted: &Export<'_>) -> Result<Exported> {
    over(view, wanted.start, |subjects, range| {
        let (ending, tag) = (wanted.format.as_str(), tagged(wanted.tag));
        let (user, DateRange { start, end }) = (wanted.user_id, range);
        let name = format!("export-{user}-{start}-{end}{tag}.{ending}");
        let mut count = 0;
        let artefact = store(wanted.folder, &name, |output| {
            count = write_as(wanted, output, &view.owner, subjects, range)?;
            Ok(())
        })?;
        Ok(Exported {
            artefact,
            range,
            rows: count,
        })
    })
}

/// How many rows an export has; nothing is written.
///
/// # Errors
/// What is wrong with a ledger.
pub fn count_export(view: &View, start: Option<Date>) -> Result<u64> {
    over(view, start, |subjects, range| {
        Ok(rows(subjects, range).count() as u64)
    })
}

fn write_as(
    wanted: &Export<'_>,
    output: &mut dyn Write,
    owner: &str,
    subjects: &[Subject<'_>],
    range: DateRange,
) -> Result<u64> {
    let lines = rows(subjects, range);
    let document = || contents::export(owner, subjects, range);
    let bytes = match wanted.format {
        Format::Csv => return write_csv(output, lines),
        Format::Json => {
            let header = Header {
                user_id: wanted.user_id,
                base_currency: wanted.base_currency,
                range,
            };
            return write_json(output, header, lines);
        }
        Format::Html => html::render(&document()).into_bytes(),
        Format::Pdf => pdf::render(&document(), &Typeface::load()?)?.bytes,
    };
    output.write_all(&bytes).map_err(Error::Write)?;
    Ok(lines.count() as u64)
}

/// Hands over the portfolios in which something has happened, and the days of the export.
fn over<T>(
    view: &View,
    start: Option<Date>,
    take: impl FnOnce(&[Subject<'_>], DateRange) -> Result<T>,
) -> Result<T> {
    let mut walks: Vec<(&Viewed, Walk<'_>)> = Vec::new();
    for viewed in &view.portfolios {
        if let Some(walk) = viewed.walk(&view.market, Vec::new())? {
            walks.push((viewed, walk));
        }
    }
    let subjects = walks.iter().map(|(viewed, walk)| {
        let settings = viewed.settings(&view.market);
        Subject::of(names(view, viewed), walk, None, settings)
    });
    let subjects: Vec<Subject<'_>> = subjects.collect::<Result<_>>()?;
    take(&subjects, range(view, start, &subjects))
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
