//! What reconciling every account gave, counted: the body of the chord that [`super::ReconcileAllAccounts`] becomes.

use std::path::Path;

use protocol::Value;
use serde::{Deserialize, Serialize};
use tasks::catalogue::{SUMMARISE_RECONCILIATIONS, Spec};
use tasks::{Answer, FinanceTask, Run};
use worker::Outcome;

/// A statement that was refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FailedImport {
    file: String,
    message: String,
}

impl FailedImport {
    pub(super) fn new(file: &Path, error: &portfolio::Error) -> Self {
        let name = file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        Self {
            file: name.unwrap_or_default(),
            message: error.to_string(),
        }
    }

    /// Notes it in the result.
    pub(super) fn note(&self, run: &mut Run<'_>) {
        let file = Some(self.file.as_str());
        run.item_failed("statement", file, "bad_statement", self.message.as_str());
    }
}

/// The fields of reconciling every account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconciliationSummary {
    /// Active accounts.
    pub accounts: usize,
    /// Those without any break.
    pub matched: usize,
    /// Those with rows that are still on their way, and nothing else.
    pub timing_only: usize,
    /// Those with something to look at.
    pub breaks: usize,
    /// Those that could not be compared.
    pub errors: usize,
    /// Those without a statement.
    pub no_statement: usize,
    /// The group of the accounts' runs.
    pub group_id: Option<String>,
}

/// Counts the results of the accounts' runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SummariseReconciliations {
    results: Vec<Value>,
    accounts: Vec<i64>,
    no_statement: usize,
    failed_imports: Vec<FailedImport>,
    group_id: String,
}

/// How one account's run ended.
#[derive(Debug, PartialEq, Eq)]
enum Ending {
    Matched,
    TimingOnly,
    Breaks,
    NoStatement,
    Failed { code: String, message: String },
}

impl FinanceTask for SummariseReconciliations {
    const SPEC: Spec = SUMMARISE_RECONCILIATIONS;
    type Data = ReconciliationSummary;

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<ReconciliationSummary>, Outcome> {
        let mut summary = ReconciliationSummary {
            accounts: self.accounts.len() + self.no_statement,
            no_statement: self.no_statement,
            group_id: Some(self.group_id),
            ..ReconciliationSummary::default()
        };
        for (account, result) in self.accounts.iter().zip(&self.results) {
            match ending(result) {
                Ending::Matched => summary.matched += 1,
                Ending::TimingOnly => summary.timing_only += 1,
                Ending::Breaks => summary.breaks += 1,
                Ending::NoStatement => summary.no_statement += 1,
                Ending::Failed { code, message } => {
                    summary.errors += 1;
                    run.item_failed("account", Some(*account), &code, message);
                }
            }
        }
        for import in &self.failed_imports {
            import.note(run);
        }
        Ok(Answer::Done(summary))
    }
}

/// From an envelope, or from the exception map of a run that failed.
fn ending(result: &Value) -> Ending {
    let text = |value: &Value, field: &str| -> Option<String> {
        let field = value.as_map()?.get(field)?;
        field.as_str().map(str::to_owned)
    };
    let data = result.as_map().and_then(|envelope| envelope.get("data"));
    let of_data = |field| data.and_then(|data| text(data, field));
    match of_data("status").as_deref() {
        Some("matched") => return Ending::Matched,
        Some("timing_only") => return Ending::TimingOnly,
        Some("breaks") => return Ending::Breaks,
        _ => {}
    }
    match of_data("reason") {
        Some(reason) if reason == "no_statement" => Ending::NoStatement,
        Some(reason) => Ending::Failed {
            message: format!("the account was not compared: {reason}"),
            code: reason,
        },
        None => Ending::Failed {
            code: text(result, "exc_type").unwrap_or_else(|| "error".to_owned()),
            message: result
                .as_map()
                .and_then(|map| map.get("exc_message"))
                .map_or_else(|| format!("{result:?}"), |message| format!("{message:?}")),
        },
    }
}
