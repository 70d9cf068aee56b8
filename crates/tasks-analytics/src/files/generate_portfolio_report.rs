//! `generate_portfolio_report`: a user's portfolios on paper, in a browser, or for programs.

use jiff::civil::{Date, date};
use portfolio::analytics::{View, Viewed, view};
use portfolio::progress::Progress;
use portfolio::store::Store;
use reports::artefact::hash_of;
use reports::contents::{ReportType, reconciliation_report};
use reports::files::{Format, Reports, input_hash, write_reports_on};
use reports::pdf::Typeface;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tasks::catalogue::{GENERATE_PORTFOLIO_REPORT, SEND_NOTIFICATION, Spec};
use tasks::{Answer, FinanceTask, Reporter, Run, failure, invalid};
use worker::{Context, Outcome};

use super::filing::once_each;
use super::{Filed, Filing, Label};

/// Writes reports, one file for each portfolio and format.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GeneratePortfolioReport {
    /// Whose.
    pub user_id: i64,
    /// What they say.
    pub report_type: String,
    /// The first day; inception unless given.
    pub start: Option<Date>,
    /// The last day; the last completed session unless given.
    pub end: Option<Date>,
    /// What they are written as.
    pub formats: Vec<Format>,
    /// Only this portfolio.
    pub portfolio_id: Option<i64>,
    /// Tell the user when they are there.
    pub notify: bool,
}

/// The files.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct GeneratedReports {
    /// Each file.
    pub artifacts: Vec<Filed>,
    /// The first opening day, exclusive; null without files.
    pub from: Option<Date>,
    /// The last day.
    pub to: Option<Date>,
}

impl FinanceTask for GeneratePortfolioReport {
    const SPEC: Spec = GENERATE_PORTFOLIO_REPORT;
    type Data = GeneratedReports;

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<GeneratedReports>, Outcome> {
        let (ctx, store) = (run.ctx(), run.store().await?);
        let view = view(store, self.user_id, self.portfolio_id, self.end).await;
        let view = view.map_err(failure)?;
        self.check(&view)?;
        let filing = Filing::of(run).await?;
        let made = Reporter::around(ctx, async |reporter| {
            match ReportType::parse(&self.report_type) {
                Some(kind) => {
                    let work = Work {
                        task: &self,
                        formats: once_each(&self.formats),
                        kind,
                        view: &view,
                        filing,
                    };
                    work.all(ctx, &reporter).await
                }
                None => self.reconciliation(store, &view, filing, &reporter).await,
            }
        });
        let made = made.await?;
        for failed in &made.failed {
            run.item_failed("portfolio", Some(failed.id), failed.code, &*failed.message);
        }
        if made.left > 0 {
            run.stopped_early(format!("{} portfolios", made.left));
        }
        let generated = GeneratedReports::of(made.files);
        if let Some(to) = generated.to {
            run.set_as_of(to);
        }
        if self.notify && !generated.artifacts.is_empty() {
            self.tell(ctx, &generated).await?;
        }
        Ok(
            if generated.artifacts.is_empty() && made.failed.is_empty() {
                Answer::Empty(generated)
            } else {
                Answer::Done(generated)
            },
        )
    }
}

impl GeneratedReports {
    fn of(artifacts: Vec<Filed>) -> Self {
        let periods = || artifacts.iter().filter_map(|filed| filed.period);
        Self {
            from: periods().map(|(from, _)| from).min(),
            to: periods().map(|(_, to)| to).max(),
            artifacts,
        }
    }
}

impl GeneratePortfolioReport {
    /// The days must not be backwards with the last day that is meant.
    fn check(&self, view: &View) -> Result<(), Outcome> {
        let last = view.portfolios.iter().map(Viewed::as_of).max();
        match (self.start, last) {
            (Some(start), Some(last)) if start > last => Err(invalid(
                "start",
                start,
                &format!("must not be after the last day, {last}"),
            )),
            _ => Ok(()),
        }
    }

    /// One report on all accounts that are meant, as their newest comparisons until the last day left them.
    async fn reconciliation(
        &self,
        store: &Store,
        view: &View,
        filing: Filing<'_>,
        reporter: &Reporter,
    ) -> Result<Made, Outcome> {
        let Some(to) = view.portfolios.iter().map(Viewed::as_of).max() else {
            return Ok(Made::default());
        };
        report(reporter, "collect", 0, 1);
        let period = (self.start.unwrap_or(date(1, 1, 1)), to);
        let compared = store.compared(Some(self.user_id), self.portfolio_id, period);
        let compared = compared.await.map_err(failure)?;
        let first = compared.iter().map(|account| account.as_of).min();
        let from = self.start.or(first).unwrap_or(to);
        let document = reconciliation_report(&view.owner, &compared, (from, to));
        report(reporter, "render", 0, 1);
        let (user, kind) = (Some(self.user_id), self.report_type.as_str());
        let files = filing.document(user, kind, &document, (from, to), &self.formats);
        let files = files.await?;
        report(reporter, "store", 1, 1);
        Ok(Made {
            files,
            ..Made::default()
        })
    }

    /// Sends the task that tells the user; the key lets a repeated run tell nothing twice.
    async fn tell(&self, ctx: &Context, made: &GeneratedReports) -> Result<(), Outcome> {
        let key = format!("report-{}", ctx.id());
        let names = made
            .artifacts
            .iter()
            .filter_map(|filed| filed.path.file_name());
        let names: Vec<String> = names
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        let message = format!("Your report is ready:\n{}", names.join("\n"));
        let ids: Vec<i64> = made
            .artifacts
            .iter()
            .map(|filed| filed.artifact_id)
            .collect();
        let call = ctx.call_by_name::<Value>(SEND_NOTIFICATION.name);
        let call = call
            .queue(SEND_NOTIFICATION.queue)
            .task_id(key.as_str())
            .kwarg("user_id", self.user_id)
            .kwarg("message", message)
            .kwarg("subject", format!("Your {} report", self.report_type));
        let call = call
            .kwarg("data", json!({ "artifacts": ids }))
            .kwarg("dedupe_key", key);
        call.send().await?;
        Ok(())
    }
}

/// A run under way.
struct Work<'w> {
    task: &'w GeneratePortfolioReport,
    formats: Vec<Format>,
    kind: ReportType,
    view: &'w View,
    filing: Filing<'w>,
}

/// What came of it.
#[derive(Default)]
struct Made {
    files: Vec<Filed>,
    failed: Vec<Failed>,
    /// Portfolios that the time limit left out.
    left: usize,
}

/// A portfolio whose ledger does not add up.
struct Failed {
    id: i64,
    code: &'static str,
    message: String,
}

impl Work<'_> {
    async fn all(&self, ctx: &Context, reporter: &Reporter) -> Result<Made, Outcome> {
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

fn report(reporter: &Reporter, phase: &'static str, done: usize, total: usize) {
    reporter.report(Progress {
        phase,
        current: done as u64,
        total: total as u64,
    });
}
