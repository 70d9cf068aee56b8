//! `app.tasks.reconciliation.reconcile_account`: one ledger beside one statement.

use jiff::civil::Date;
use portfolio::reconcile::Tolerances;
use portfolio::reconciliation::{ReconcileData, ReconcileRequest, reconcile_account};
use serde::{Deserialize, Serialize};
use tasks::catalogue::{RECONCILE_ACCOUNT, SEND_NOTIFICATION, Spec};
use tasks::{Answer, FinanceTask, Reporter, Run, Skipped, failure};
use worker::{Context, Outcome};

/// Compares an account with its last statement, or with the one that is named.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReconcileAccount {
    /// The account.
    pub account_id: i64,
    /// Its owner.
    pub user_id: i64,
    /// The statement; the last one until `as_of` unless given.
    pub statement_id: Option<i64>,
    /// The last day; the last completed session unless given.
    pub as_of: Option<Date>,
    /// How far apart the sides may be; what is not named is as usual.
    pub tolerances: Option<Tolerances>,
}

impl FinanceTask for ReconcileAccount {
    const SPEC: Spec = RECONCILE_ACCOUNT;
    type Data = ReconcileData;

    fn lock(&self) -> Option<String> {
        Some(format!("reconcile:{}", self.account_id))
    }

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<ReconcileData>, Outcome> {
        let (ctx, store) = (run.ctx(), run.store().await?);
        let user_id = self.user_id;
        let request = self.request(ctx);
        let compared = Reporter::around(ctx, async |reporter| {
            reconcile_account(store, &request, &mut |progress| reporter.report(progress)).await
        });
        let Some(data) = compared.await.map_err(failure)? else {
            return Ok(Answer::Skipped(Skipped::because("no_statement")));
        };
        run.set_as_of(data.as_of);
        if data.opened_high > 0 {
            notify(run, user_id, &data).await;
        }
        Ok(Answer::Done(data))
    }
}

impl ReconcileAccount {
    fn request(self, ctx: &Context) -> ReconcileRequest {
        ReconcileRequest {
            user_id: Some(self.user_id),
            statement_id: self.statement_id,
            as_of: self.as_of,
            tolerances: self.tolerances.unwrap_or_default(),
            task_id: ctx.id().to_owned(),
            ..ReconcileRequest::new(self.account_id)
        }
    }
}

/// Tells the owner of new grave breaks, once for each comparison.
async fn notify(run: &mut Run<'_>, user_id: i64, data: &ReconcileData) {
    let message = format!(
        "Account {} differs from its statement of {}: {} new breaks need a look, the first: {}",
        data.account_id,
        data.as_of,
        data.opened_high,
        data.breaks
            .first()
            .map_or("", |found| found.explanation.as_str()),
    );
    let call = run.ctx().call_by_name::<()>(SEND_NOTIFICATION.name);
    let call = call
        .queue(SEND_NOTIFICATION.queue)
        .kwarg("user_id", user_id)
        .kwarg("message", message)
        .kwarg("notification_type", "alert")
        .kwarg("subject", "Reconciliation: new breaks")
        .kwarg(
            "dedupe_key",
            format!("reconciliation:{}", data.reconciliation_id),
        );
    if let Err(error) = call.send().await {
        run.warn(
            "account",
            Some(data.account_id),
            "not_notified",
            error.to_string(),
        );
    }
}
