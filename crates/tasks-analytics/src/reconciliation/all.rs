//! `app.tasks.reconciliation.reconcile_all_accounts`: statements imported, then every account side by side.

use std::path::{Path, PathBuf};

use client::canvas::chord;
use jiff::civil::Date;
use portfolio::import::import_statement_file;
use portfolio::progress::Progress;
use portfolio::reconciliation::{Due, due_accounts};
use portfolio::store::{AccountRow, Store};
use protocol::{Signature, to_value};
use serde::{Deserialize, Serialize};
use tasks::arguments::Place;
use tasks::catalogue::{
    RECONCILE_ACCOUNT, RECONCILE_ALL_ACCOUNTS, SUMMARISE_RECONCILIATIONS, Spec,
};
use tasks::{Answer, FinanceTask, Reporter, Run, failure};
use worker::Outcome;

use super::summary::{FailedImport, ReconciliationSummary};

/// Endings of the files that are statements.
const ENDINGS: [&str; 4] = ["csv", "json", "ofx", "qfx"];

/// Reconciles every active account that has a statement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReconcileAllAccounts {
    /// The last day; the last completed session of each account's calendar unless given.
    pub as_of: Option<Date>,
    /// Where new statements are.
    pub statement_dir: Option<PathBuf>,
}

impl FinanceTask for ReconcileAllAccounts {
    const SPEC: Spec = RECONCILE_ALL_ACCOUNTS;
    type Data = ReconciliationSummary;

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<ReconciliationSummary>, Outcome> {
        let store = run.store().await?;
        let folder = self.statement_dir.clone();
        let folder = folder.unwrap_or_else(|| run.app().place(Place::Statements));
        let failed = Reporter::around(run.ctx(), async |reporter| {
            import_all(store, &folder, &reporter).await
        });
        let failed = failed.await?;
        let due = due_accounts(store, self.as_of).await.map_err(failure)?;
        if !due.accounts.is_empty() {
            return Err(self.fan_out(run, due, failed)?);
        }
        for import in &failed {
            import.note(run);
        }
        Ok(Answer::Empty(ReconciliationSummary {
            accounts: due.no_statement,
            no_statement: due.no_statement,
            ..ReconciliationSummary::default()
        }))
    }
}

impl ReconcileAllAccounts {
    /// Goes on as a chord: an account each, then the summary under this task's id.
    fn fan_out(
        &self,
        run: &Run<'_>,
        due: Due,
        failed: Vec<FailedImport>,
    ) -> Result<Outcome, Outcome> {
        // Where this task came in, its parts do too, whatever the routes are.
        let queue = run.ctx().queue();
        let members = due
            .accounts
            .iter()
            .map(|account| self.member(account, queue));
        let accounts: Vec<i64> = due.accounts.iter().map(|account| account.id).collect();
        let mut summary = Signature::new(SUMMARISE_RECONCILIATIONS.name)
            .kwarg("accounts", to_value(&accounts)?)
            .kwarg("no_statement", to_value(&due.no_statement)?)
            .kwarg("failed_imports", to_value(&failed)?)
            // The header of a chord that replaces a task has the task's id.
            .kwarg("group_id", run.ctx().id());
        summary.options.insert("queue", queue);
        // An account that fails is counted, and stops no other.
        summary.options.insert("allow_errors", true);
        let chord = chord(members, summary).map_err(Outcome::from)?;
        Ok(run.ctx().replace(chord))
    }

    fn member(&self, account: &AccountRow, queue: &str) -> Signature {
        let member = Signature::new(RECONCILE_ACCOUNT.name)
            .kwarg("account_id", account.id)
            .kwarg("user_id", account.user_id);
        let mut member = match self.as_of {
            Some(as_of) => member.kwarg("as_of", as_of.to_string()),
            None => member,
        };
        member.options.insert("queue", queue);
        member
    }
}

/// Imports the statements of a folder; one that is refused stops no other. A missing folder has none.
async fn import_all(
    store: &Store,
    folder: &Path,
    reporter: &Reporter,
) -> Result<Vec<FailedImport>, Outcome> {
    let files = statements(folder)?;
    let mut failed = Vec::new();
    for (done, file) in files.iter().enumerate() {
        report(reporter, done, files.len());
        let imported = import_statement_file(store, file, None, jiff::Timestamp::now()).await;
        match imported {
            Ok(_) => {}
            Err(error @ (portfolio::Error::Import { .. } | portfolio::Error::File { .. })) => {
                failed.push(FailedImport::new(file, &error));
            }
            Err(shared) => return Err(failure(shared)),
        }
    }
    report(reporter, files.len(), files.len());
    Ok(failed)
}

fn report(reporter: &Reporter, current: usize, total: usize) {
    reporter.report(Progress {
        phase: "import",
        current: current as u64,
        total: total as u64,
    });
}

/// The files of a folder that are statements, by name.
fn statements(folder: &Path) -> Result<Vec<PathBuf>, Outcome> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            let path = folder.to_owned();
            return Err(failure(portfolio::Error::File { path, source }));
        }
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_statement = |path: &PathBuf| {
        let ending = path
            .extension()
            .map(|ending| ending.to_string_lossy().to_lowercase());
        path.is_file() && ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
    };
    let mut files: Vec<PathBuf> = paths.filter(is_statement).collect();
    files.sort();
    Ok(files)
}
