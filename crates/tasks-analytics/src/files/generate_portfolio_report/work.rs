//! The files of a report: portfolio by portfolio, those there are and those that are missing.

use portfolio::analytics::{View, Viewed};
use portfolio::progress::Progress;
use reports::artefact::hash_of;
use reports::contents::ReportType;
use reports::files::{Format, Reports, input_hash, write_reports_on};
use reports::pdf::Typeface;
use tasks::Reporter;
use worker::{Context, Outcome};

use super::GeneratePortfolioReport;
use crate::files::{Filed, Filing, Label};

/// A run under way.
pub(super) struct Work<'w> {
    pub(super) task: &'w GeneratePortfolioReport,
    pub(super) formats: Vec<Format>,
    pub(super) kind: ReportType,
    pub(super) view: &'w View,
    pub(super) filing: Filing<'w>,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Made {
    pub(super) files: Vec<Filed>,
    pub(super) failed: Vec<Failed>,
    /// Portfolios that the time limit left out.
    pub(super) left: usize,
}

/// A portfolio whose ledger does not add up.
pub(super) struct Failed {
    pub(super) id: i64,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Work<'_> {
    pub(super) async fn all(&self, ctx: &Context, reporter: &Reporter) -> Result<Made, Outcome> {
        let typeface = Typeface::load()?;
        let total = self.view.portfolios.len();
        let mut made = Made::default();
        for (done, viewed) in self.view.portfolios.iter().enumerate() {
            if ctx.is_cancelled() {
                made.left = total - done;
                break;
            }
            report(reporter, "render", done, total);
            match self.one(viewed, &typeface).await? {
                Ok(files) => made.files.extend(files),
                Err(failed) => made.failed.push(failed),
            }
        }
        report(reporter, "store", total - made.left, total);
        match made.failed.pop() {
            // With one cause for all there is no part that succeeded.
            Some(only) if made.files.is_empty() && made.left == 0 => {
                Err(Outcome::fail("LedgerError", &only.message))
            }
            last => {
                made.failed.extend(last);
                Ok(made)
            }
        }
    }

    /// The files of one portfolio: those there are, and those that are missing.
    async fn one(
        &self,
        viewed: &Viewed,
        typeface: &Typeface,
    ) -> Result<Result<Vec<Filed>, Failed>, Outcome> {
        let from = self.task.start.and_then(|start| start.yesterday().ok());
        let hash = hash_of([
            format!("{} {from:?}", viewed.row().id).as_str(),
            &input_hash(self.view, [viewed]),
        ]);
        let label = Label {
            user_id: Some(self.task.user_id),
            kind: self.kind.as_str(),
            input_hash: &hash,
        };
        let (mut files, mut missing) = (Vec::new(), Vec::new());
        for format in &self.formats {
            match self.filing.find(&label, *format).await? {
                Some(filed) => files.push(filed),
                None => missing.push(*format),
            }
        }
        let wanted = Reports {
            kind: self.kind,
            from,
            formats: &missing,
            folder: &self.filing.folder(&label),
            tag: Some(label.tag()),
        };
        let written = match write_reports_on(self.view, viewed, &wanted, typeface) {
            Ok(written) => written,
            Err(reports::Error::Ledger(error)) => {
                return Ok(Err(Failed {
                    id: viewed.row().id,
                    code: error.code(),
                    message: error.to_string(),
                }));
            }
            Err(error) => return Err(Outcome::from(error)),
        };
        for file in written {
            let period = (file.from, file.to);
            let added = self
                .filing
                .add(&label, file.format, period, file.artefact)
                .await?;
            files.push(added);
        }
        Ok(Ok(files))
    }
}

pub(super) fn report(reporter: &Reporter, phase: &'static str, done: usize, total: usize) {
    reporter.report(Progress {
        phase,
        current: done as u64,
        total: total as u64,
    });
}
