//! `apps.main.tasks.generate_reports`: how the system has done, as files.

mod contents;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use portfolio::store::Store;
use reports::contents::reconciliation;
use reports::document::{Block, Document};
use reports::files::Format;
use serde::{Deserialize, Serialize};
use tasks::catalogue::{GENERATE_REPORTS, Spec};
use tasks::{Answer, FinanceTask, Run, failure, invalid};
use tasks_analytics::{Filed, Filing};
use worker::Outcome;

/// A report without a start looks back so far.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Writes a report on the system.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GenerateReports {
    /// What it says.
    pub report_type: SystemReport,
    /// From when on; a day before the end unless given.
    pub start: Option<Timestamp>,
    /// Until when; now unless given.
    pub end: Option<Timestamp>,
    /// What it is written as.
    pub formats: Vec<Format>,
}

/// What a report on the system is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemReport {
    /// Health, and runs by queue.
    System,
    /// Runs by task.
    Performance,
    /// What users did.
    Usage,
    /// Comparisons with custodians' statements.
    Reconciliation,
}

impl SystemReport {
    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Performance => "performance",
            Self::Usage => "usage",
            Self::Reconciliation => "reconciliation",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::System => "System report",
            Self::Performance => "Task performance report",
            Self::Usage => "Usage report",
            Self::Reconciliation => "Reconciliation report",
        }
    }
}

/// The files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SystemReports {
    /// Each file.
    pub artifacts: Vec<Filed>,
    /// From when on.
    pub from: Timestamp,
    /// Until when, exclusive.
    pub to: Timestamp,
}

impl FinanceTask for GenerateReports {
    const SPEC: Spec = GENERATE_REPORTS;
    type Data = SystemReports;

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<SystemReports>, Outcome> {
        let to = self.end.unwrap_or_else(Timestamp::now);
        let from = self.start.unwrap_or(to - DAY);
        if from > to {
            return Err(invalid("start", from, "must not be after end"));
        }
        let window = Window { from, to };
        run.set_as_of(window.days().1);
        let store = run.store().await?;
        let blocks = self.blocks(store, window).await.map_err(failure)?;
        let document = Document {
            title: "Celeriac".to_owned(),
            subtitle: self.report_type.title().to_owned(),
            facts: vec![
                ("From".to_owned(), moment(from)),
                ("To".to_owned(), moment(to)),
            ],
            as_of: window.days().1,
            blocks,
        };
        let filing = Filing::of(run).await?;
        let name = self.report_type.name();
        let filed = filing.document(None, name, &document, window.days(), &self.formats);
        Ok(Answer::Done(SystemReports {
            artifacts: filed.await?,
            from,
            to,
        }))
    }
}

/// A time as people read it, to the second.
fn moment(time: Timestamp) -> String {
    time.strftime("%F %T UTC").to_string()
}

/// From when until before when.
#[derive(Clone, Copy, Debug)]
struct Window {
    from: Timestamp,
    to: Timestamp,
}

impl Window {
    /// The first and the last day (UTC).
    fn days(self) -> (jiff::civil::Date, jiff::civil::Date) {
        let day = |time: Timestamp| time.to_zoned(TimeZone::UTC).date();
        (day(self.from), day(self.to))
    }
}

impl GenerateReports {
    async fn blocks(&self, store: &Store, window: Window) -> portfolio::Result<Vec<Block>> {
        let Window { from, to } = window;
        Ok(match self.report_type {
            SystemReport::System => {
                let health = store.health_between(from, to).await?;
                contents::system(&health, &store.runs_between(from, to).await?)
            }
            SystemReport::Performance => {
                contents::performance(&store.runs_between(from, to).await?)
            }
            SystemReport::Usage => {
                let actions = store.actions_between(from, to).await?;
                contents::usage(&actions, &store.metrics_between(from, to).await?)
            }
            SystemReport::Reconciliation => {
                reconciliation(&store.compared(None, None, window.days()).await?)
            }
        })
    }
}
