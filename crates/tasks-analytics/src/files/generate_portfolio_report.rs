//! `generate_portfolio_report`: a user's portfolios on paper, in a browser, or for programs.

mod work;

use jiff::civil::{Date, date};
use portfolio::analytics::{View, Viewed, view};
use portfolio::store::Store;
use reports::contents::{ReportType, reconciliation_report};
use reports::files::Format;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tasks::catalogue::{GENERATE_PORTFOLIO_REPORT, SEND_NOTIFICATION, Spec};
use tasks::{Answer, FinanceTask, Reporter, Run, failure, invalid};
use worker::{Context, Outcome};

use super::filing::once_each;
use super::{Filed, Filing};
use work::{Made, Work, report};

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
