//! `celeriac finance report` and `export`: files made at once, without a worker.

use std::path::{Path, PathBuf};

use jiff::civil::{Date, date};
use portfolio::analytics::{View, Viewed, view};
use portfolio::store::Store;
use reports::contents::{ReportType, reconciliation_report};
use reports::files::{
    Export, Exported, Format, Reports, Written, write_document, write_export, write_reports,
};

use crate::context::Context;
use crate::error::Error;
use crate::output;

/// What both commands ask.
#[derive(Debug, clap::Args)]
pub(crate) struct Range {
    /// Whose portfolios
    #[arg(long, short, value_name = "ID")]
    user: i64,
    /// Only this portfolio
    #[arg(long, value_name = "ID")]
    portfolio: Option<i64>,
    /// The first day; everything unless given
    #[arg(long, value_name = "DATE", value_parser = super::day)]
    start: Option<Date>,
    /// The last day; the last completed session unless given
    #[arg(long, value_name = "DATE", value_parser = super::day)]
    end: Option<Date>,
    /// Where the files go; the folder reports in the data folder unless given
    #[arg(long, short, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

/// What a report is about.
#[derive(Debug, clap::Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    range: Range,
    /// What it says
    #[arg(long = "type", value_name = "TYPE", default_value = "comprehensive",
        value_parser = ["comprehensive", "performance", "holdings", "income", "tax", "reconciliation"])]
    kind: String,
    /// What it is written as; may be given several times
    #[arg(long = "format", value_name = "FORMAT", default_value = "pdf", value_parser = format)]
    formats: Vec<Format>,
}

/// What an export is written as.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    range: Range,
    /// What it is written as
    #[arg(long, value_name = "FORMAT", default_value = "csv", value_parser = format)]
    format: Format,
}

fn format(text: &str) -> Result<Format, String> {
    let all = [Format::Pdf, Format::Html, Format::Csv, Format::Json];
    let found = all.into_iter().find(|format| format.as_str() == text);
    found.ok_or_else(|| "must be pdf, html, csv or json".to_owned())
}

/// Writes the reports and prints where they are.
pub(super) async fn report(
    store: &Store,
    args: ReportArgs,
    context: &Context,
) -> Result<(), Error> {
    let ReportArgs {
        range,
        kind,
        formats,
    } = args;
    range.check()?;
    let view = view(store, range.user, range.portfolio, range.end).await?;
    let folder = range.folder(context);
    let Some(kind) = ReportType::parse(&kind) else {
        return reconciliation(store, &range, &view, &formats, context).await;
    };
    let wanted = Reports {
        kind,
        from: range.start.and_then(|start| start.yesterday().ok()),
        formats: &formats,
        folder: &folder,
        tag: None,
    };
    let written = write_reports(&view, &wanted)?;
    if context.json {
        output::json(&written);
        return Ok(());
    }
    if written.is_empty() {
        output::line("nothing has happened in these portfolios yet: there is nothing to report");
    }
    written.iter().for_each(show);
    Ok(())
}

/// Writes the report on what the newest comparisons with custodians' statements found.
async fn reconciliation(
    store: &Store,
    range: &Range,
    view: &View,
    formats: &[Format],
    context: &Context,
) -> Result<(), Error> {
    let last = view.portfolios.iter().map(Viewed::as_of).max();
    let written = match last {
        Some(to) => {
            let period = (range.start.unwrap_or(date(1, 1, 1)), to);
            let user = Some(range.user);
            let compared = store.compared(user, range.portfolio, period).await?;
            let first = compared.iter().map(|account| account.as_of).min();
            let from = range.start.or(first).unwrap_or(to);
            let document = reconciliation_report(&view.owner, &compared, (from, to));
            let stem = format!("reconciliation-{}-{to}", range.user);
            write_document(&document, formats, &range.folder(context), &stem)?
        }
        None => Vec::new(),
    };
    if context.json {
        output::json(&written);
    } else if written.is_empty() {
        output::line("this user has no portfolios: there is nothing to report");
    }
    for one in written.iter().filter(|_| !context.json) {
        output::line(&one.artefact.path.display().to_string());
    }
    Ok(())
}

fn show(written: &Written) {
    output::line(&written.artefact.path.display().to_string());
    if !written.missing.is_empty() {
        let missing: String = written.missing.iter().collect();
        eprintln!(
            "note: no font here has {missing}: the PDF shows boxes instead, HTML has them. For Chinese, Japanese and Korean install fonts-wqy-microhei, for emoji \
             fonts-symbola; CELERIAC_REPORT_FONT names another TrueType font"
        );
    }
}

/// Writes the export and prints where it is.
pub(super) async fn export(
    store: &Store,
    args: ExportArgs,
    context: &Context,
) -> Result<(), Error> {
    let range = args.range;
    range.check()?;
    let view = view(store, range.user, range.portfolio, range.end).await?;
    let folder = range.folder(context);
    let wanted = Export {
        user_id: range.user,
        base_currency: view.owner_currency,
        start: range.start,
        format: args.format,
        folder: &folder,
        tag: None,
    };
    let exported = write_export(&view, &wanted)?;
    if context.json {
        output::json(&exported);
        return Ok(());
    }
    let Exported { artefact, rows, .. } = exported;
    output::line(&format!(
        "{}: {rows} rows, {} bytes",
        artefact.path.display(),
        artefact.bytes
    ));
    Ok(())
}

impl Range {
    fn check(&self) -> Result<(), Error> {
        match (self.start, self.end) {
            (Some(start), Some(end)) if start > end => Err(Error::Usage(format!(
                "--start {start} is after --end {end}"
            ))),
            _ => Ok(()),
        }
    }

    fn folder(&self, context: &Context) -> PathBuf {
        let default = || Path::new(context.settings.data_folder()).join("reports");
        self.output.clone().unwrap_or_else(default)
    }
}
