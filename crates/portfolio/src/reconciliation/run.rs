//! The run: load both sides, compare, keep the result in one transaction.

use std::fmt::Write as _;

use jiff::civil::Date;
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use super::lifecycle::{self, Dates, Reach};
use super::request::{ReconcileData, ReconcileRequest};
use super::sides::{self, LedgerInput, Names};
use crate::dates::plus_days;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::reconcile::{LedgerSide, Outcome, Statement, reconcile};
use crate::store::{AccountRow, NewReconciliation, StatementRow, Store, StoredEntry};

/// Breaks that an answer lists.
const LISTED: usize = 100;
/// The status of a comparison that did not come about.
const FAILED: &str = "error";
/// Changes when the comparison changes.
const VERSION: &str = "1";

/// What a run is about.
struct Subject {
    input: LedgerInput,
    statement: StatementRow,
    hash: String,
}

/// What opened and closed.
#[derive(Default)]
struct Changes {
    opened: usize,
    opened_high: usize,
    closed: usize,
}

/// Compares an account with a statement; `None` when there is no statement. The same input as before gives the stored
/// result. When the ledger cannot be applied, a row with the status `error` says so.
///
/// # Errors
/// A missing or foreign account or statement, a ledger that cannot be applied, or a database error.
pub async fn reconcile_account(
    store: &Store,
    request: &ReconcileRequest,
    progress: &mut (dyn FnMut(Progress) + Send + Sync),
) -> Result<Option<ReconcileData>> {
    report(progress, "ledger", 0);
    let account = account(store, request).await?;
    let Some(statement) = find_statement(store, request, &account).await? else {
        return Ok(None);
    };
    let subject = subject(store, request, account, statement).await?;
    let (account_id, statement_id) = (subject.input.account.id, subject.statement.id);
    let known = store
        .find_reconciliation(account_id, statement_id, &subject.hash)
        .await?;
    let (id, changes) = match known {
        Some(id) => (id, changes_of(store, request, id).await?),
        None => match compared(store, request, &subject, progress).await {
            Ok(made) => made,
            Err(error) => {
                remember_failure(store, request, &subject, &error).await?;
                return Err(error);
            }
        },
    };
    report(progress, "cash", 4);
    answer(store, account_id, id, changes).await.map(Some)
}

/// The last day of an account's comparison, unless it is given: the last completed session of its portfolio's calendar.
///
/// # Errors
/// An unknown calendar, or a database error.
pub(super) async fn as_of_for(store: &Store, request: &ReconcileRequest) -> Result<Date> {
    if let Some(as_of) = request.as_of {
        return Ok(as_of);
    }
    let named = store.account_calendar(request.account_id).await?;
    let calendar = request.calendars.get(named.as_deref().unwrap_or("XNYS"))?;
    Ok(calendar.last_completed((request.clock)()))
}

fn report(progress: &mut (dyn FnMut(Progress) + Send + Sync), phase: &'static str, current: u64) {
    progress(Progress {
        phase,
        current,
        total: 4,
    });
}

async fn account(store: &Store, request: &ReconcileRequest) -> Result<AccountRow> {
    let account = store.account(request.account_id).await?;
    match request.user_id {
        Some(user_id) if user_id != account.user_id => Err(Error::Forbidden {
            what: "account",
            id: account.id.to_string(),
        }),
        _ => Ok(account),
    }
}

async fn find_statement(
    store: &Store,
    request: &ReconcileRequest,
    account: &AccountRow,
) -> Result<Option<StatementRow>> {
    let Some(id) = request.statement_id else {
        let until = as_of_for(store, request).await?;
        return store.latest_statement(account.id, until).await;
    };
    let statement = store.statement(id).await?;
    if statement.account_id != account.id {
        return Err(Error::InvalidArgument {
            field: "statement_id",
            value: id.to_string(),
            rule: "must be a statement of this account",
        });
    }
    Ok(Some(statement))
}

async fn subject(
    store: &Store,
    request: &ReconcileRequest,
    account: AccountRow,
    statement: StatementRow,
) -> Result<Subject> {
    let mut entries = store.account_entries(account.id).await?;
    let last = plus_days(statement.as_of, request.tolerances.date_days);
    entries.retain(|stored| stored.entry.date <= last);
    let input = LedgerInput {
        income: store.account_income(account.id).await?,
        account,
        entries,
    };
    let rests_on = written(store, &input, statement.as_of).await?;
    let hash = hash(request, &input, &statement, &rests_on);
    Ok(Subject {
        input,
        statement,
        hash,
    })
}

/// How often what is taken of an account's assets was written, prices of later days left out, and in which database.
async fn written(store: &Store, input: &LedgerInput, as_of: Date) -> Result<String> {
    let mut assets: Vec<i64> = input.entries.iter().flat_map(StoredEntry::assets).collect();
    assets.sort_unstable();
    assets.dedup();
    let counts = store.settled_counts_of(&assets, as_of).await?;
    let counts = assets.iter().map(|id| (*id, counts.get(id).copied()));
    let counts: Vec<(i64, Option<i64>)> = counts.collect();
    Ok(format!("{} {counts:?}", store.installation().await?))
}

/// SHA-256 over everything that the result depends on.
fn hash(
    request: &ReconcileRequest,
    input: &LedgerInput,
    statement: &StatementRow,
    rests_on: &str,
) -> String {
    let mut hash = Sha256::new();
    hash.update(format!(
        "{VERSION}|{}|{:?}|{:?}|{:?}\n",
        statement.content_hash, request.tolerances, input.account, input.income
    ));
    for stored in &input.entries {
        hash.update(format!("{stored:?}\n"));
    }
    hash.update(rests_on);
    hash.finalize()
        .iter()
        .fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a string does not fail");
            text
        })
}

async fn compared(
    store: &Store,
    request: &ReconcileRequest,
    subject: &Subject,
    progress: &mut (dyn FnMut(Progress) + Send + Sync),
) -> Result<(i64, Changes)> {
    let names = Names::load(store).await?;
    let lines = store.statement_lines(subject.statement.id).await?;
    let statement = sides::statement(&subject.statement, &lines, &names);
    let period = sides::period(&subject.statement, &statement);
    let tolerances = request.tolerances;
    let ledger = sides::ledger(
        store,
        &subject.input,
        &names,
        &statement,
        period,
        &tolerances,
    )
    .await?;
    report(progress, "transactions", 1);
    let account_id = subject.input.account.id;
    let work = move || {
        let outcome = reconcile(account_id, &ledger, &statement, &tolerances);
        (outcome, ledger, statement)
    };
    let (outcome, ledger, statement) = spawn_blocking(work).await.map_err(Error::Computation)?;
    report(progress, "positions", 3);
    let reach = Reach {
        sections: statement.sections,
        period,
    };
    save(
        store,
        request,
        subject,
        &outcome,
        reach,
        (&ledger, &statement),
    )
    .await
}

async fn save(
    store: &Store,
    request: &ReconcileRequest,
    subject: &Subject,
    outcome: &Outcome,
    reach: Reach,
    (ledger, statement): (&LedgerSide, &Statement),
) -> Result<(i64, Changes)> {
    let (account_id, now) = (subject.input.account.id, (request.clock)());
    let status = serde_json::to_value(outcome.status)?;
    let row = NewReconciliation {
        account_id,
        statement_id: subject.statement.id,
        as_of: subject.statement.as_of,
        status: status.as_str().unwrap_or_default(),
        counts: serde_json::to_string(&outcome.counts)?,
        tolerances: serde_json::to_string(&request.tolerances)?,
        input_hash: &subject.hash,
        task_id: &request.task_id,
    };
    let mut tx = store.begin().await?;
    let previous = store.last_reconciliation(&mut tx, account_id).await?;
    let written = store
        .put_reconciliation(&mut tx, &row, &outcome.matches, now)
        .await?;
    let Some(id) = written else {
        drop(tx);
        return of_another_run(store, request, subject).await;
    };
    let kept = store.kept_breaks(&mut tx, account_id).await?;
    let dates = Dates::of(ledger, statement);
    let plan = lifecycle::plan(&outcome.breaks, &kept, previous, reach, &dates)?;
    store
        .put_breaks(&mut tx, account_id, id, &plan.found, now)
        .await?;
    store.auto_resolve(&mut tx, &plan.gone, now).await?;
    store.set_reconciled(&mut tx, account_id, now).await?;
    store.commit(tx).await?;
    let changes = Changes {
        opened: plan.opened,
        opened_high: plan.opened_high,
        closed: plan.gone.len(),
    };
    Ok((id, changes))
}

/// What another run has written since this one looked: one that was killed may have left its last step to the server.
async fn of_another_run(
    store: &Store,
    request: &ReconcileRequest,
    subject: &Subject,
) -> Result<(i64, Changes)> {
    let (account_id, statement_id) = (subject.input.account.id, subject.statement.id);
    let found = store
        .find_reconciliation(account_id, statement_id, &subject.hash)
        .await?;
    let id = found.ok_or_else(|| Error::NotFound {
        what: "comparison with statement",
        id: statement_id.to_string(),
    })?;
    Ok((id, changes_of(store, request, id).await?))
}

/// Keeps a row of a comparison that the account's own ledger has stopped, once for each input; other errors are not the account's.
async fn remember_failure(
    store: &Store,
    request: &ReconcileRequest,
    subject: &Subject,
    error: &Error,
) -> Result<()> {
    let hash = format!("error:{}", subject.hash);
    let (account_id, statement_id) = (subject.input.account.id, subject.statement.id);
    let known = store.find_reconciliation(account_id, statement_id, &hash);
    if !matches!(error, Error::Ledger { .. }) || known.await?.is_some() {
        return Ok(());
    }
    let row = NewReconciliation {
        account_id,
        statement_id,
        as_of: subject.statement.as_of,
        status: FAILED,
        counts: serde_json::json!({"error": error.to_string()}).to_string(),
        tolerances: serde_json::to_string(&request.tolerances)?,
        input_hash: &hash,
        task_id: &request.task_id,
    };
    let mut tx = store.begin().await?;
    store
        .put_reconciliation(&mut tx, &row, &[], (request.clock)())
        .await?;
    store.commit(tx).await
}

/// What a comparison has opened, for the task that made it and was killed before it could tell; nothing for any other.
async fn changes_of(store: &Store, request: &ReconcileRequest, id: i64) -> Result<Changes> {
    let opened = match request.task_id.as_str() {
        "" => Vec::new(),
        task_id => store.opened_by(id, task_id).await?,
    };
    Ok(Changes {
        opened: opened.len(),
        opened_high: opened.iter().filter(|severity| *severity == "high").count(),
        closed: 0,
    })
}

async fn answer(
    store: &Store,
    account_id: i64,
    id: i64,
    changes: Changes,
) -> Result<ReconcileData> {
    let row = store.reconciliation(id).await?;
    let open = usize::try_from(store.open_breaks(account_id).await?).unwrap_or_default();
    Ok(ReconcileData {
        reconciliation_id: id,
        account_id,
        as_of: row.as_of,
        status: row.status,
        counts: serde_json::from_str(&row.counts)?,
        matches: store.matches_by_rule(id).await?,
        breaks: store.breaks(id, LISTED).await?,
        opened: changes.opened,
        opened_high: changes.opened_high,
        closed: changes.closed,
        still_open: open.saturating_sub(changes.opened),
    })
}
