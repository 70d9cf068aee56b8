//! `dashboard.tasks.export_dashboard_data`: all that a user has, in one file.

use std::path::PathBuf;

use jiff::civil::Date;
use portfolio::analytics::{View, view};
use portfolio::progress::Progress;
use reports::artefact::hash_of;
use reports::files::{Export, Format, count_export, input_hash, write_export};
use serde::{Deserialize, Serialize};
use tasks::catalogue::{EXPORT_DASHBOARD_DATA, Spec};
use tasks::{Answer, FinanceTask, Reporter, Run, failure};
use worker::Outcome;

use super::{Filed, Filing, Label};

/// Exports a user's portfolios.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportDashboardData {
    /// Whose.
    pub user_id: i64,
    /// What it is written as.
    pub export_format: Format,
    /// Which days; everything unless given.
    pub date_range: Option<Days>,
}

/// From the first to the last day.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Days {
    /// The first; that of the oldest portfolio unless given.
    pub start: Option<Date>,
    /// The last; the last completed session unless given.
    pub end: Option<Date>,
}

/// The file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportedData {
    /// Where it is; null when the user has no portfolios.
    pub artifact: Option<PathBuf>,
    /// Its row.
    pub artifact_id: Option<i64>,
    /// What it is written as.
    pub format: Format,
    /// Rows of the export.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// Of its content, hexadecimal.
    pub sha256: Option<String>,
}

impl FinanceTask for ExportDashboardData {
    const SPEC: Spec = EXPORT_DASHBOARD_DATA;
    type Data = ExportedData;

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<ExportedData>, Outcome> {
        let (ctx, store) = (run.ctx(), run.store().await?);
        let filing = Filing::of(run).await?;
        let days = self.date_range.unwrap_or_default();
        let view = view(store, self.user_id, None, days.end).await;
        let view = view.map_err(failure)?;
        let Some(as_of) = view.portfolios.iter().map(|viewed| viewed.as_of()).max() else {
            return Ok(Answer::Empty(self.nothing()));
        };
        run.set_as_of(as_of);
        let exported = Reporter::around(ctx, async |reporter| {
            reporter.report(step("collect", 0));
            let exported = self.export(&view, days.start, &filing, &reporter).await;
            reporter.report(step("write", 1));
            exported
        });
        let (filed, rows) = exported.await?;
        Ok(Answer::Done(ExportedData {
            artifact: Some(filed.path),
            artifact_id: Some(filed.artifact_id),
            rows,
            bytes: filed.bytes,
            sha256: Some(filed.sha256),
            ..self.nothing()
        }))
    }
}

impl ExportDashboardData {
    /// The file, the one there is or a new one, and its rows.
    async fn export(
        &self,
        view: &View,
        start: Option<Date>,
        filing: &Filing<'_>,
        reporter: &Reporter,
    ) -> Result<(Filed, u64), Outcome> {
        let range = format!("{} {start:?}", self.user_id);
        let hash = hash_of([range.as_str(), &input_hash(view, &view.portfolios)]);
        let label = Label {
            user_id: Some(self.user_id),
            kind: "export",
            input_hash: &hash,
        };
        if let Some(filed) = filing.find(&label, self.export_format).await? {
            return Ok((filed, count_export(view, start)?));
        }
        reporter.report(step("write", 0));
        let wanted = Export {
            user_id: self.user_id,
            base_currency: view.owner_currency,
            start,
            format: self.export_format,
            folder: &filing.folder(&label),
            tag: Some(label.tag()),
        };
        let exported = write_export(view, &wanted)?;
        let period = (exported.range.start, exported.range.end);
        let added = filing.add(&label, self.export_format, period, exported.artefact);
        Ok((added.await?, exported.rows))
    }

    fn nothing(&self) -> ExportedData {
        ExportedData {
            artifact: None,
            artifact_id: None,
            format: self.export_format,
            rows: 0,
            bytes: 0,
            sha256: None,
        }
    }
}

fn step(phase: &'static str, current: u64) -> Progress {
    Progress {
        phase,
        current,
        total: 1,
    }
}
