//! `celeriac finance reconcile` and `import-statement`: an account beside its custodian's statement.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use portfolio::import::import_statement_file;
use portfolio::reconciliation::{ReconcileData, ReconcileRequest, due_accounts, reconcile_account};
use portfolio::store::Store;
use service::Exit;

use super::bar;
use crate::context::Context;
use crate::error::Error;
use crate::output;

/// A statement to be imported.
#[derive(Debug, clap::Args)]
pub(crate) struct StatementArgs {
    /// The file: .csv, .json, .ofx or .qfx
    file: PathBuf,
    /// Its account, where the account's number at the custodian is not known
    #[arg(long, value_name = "ID")]
    account: Option<i64>,
}

/// What is compared.
#[derive(Debug, clap::Args)]
pub(crate) struct ReconcileArgs {
    /// Only this account; every account with a statement unless given
    #[arg(long, value_name = "ID")]
    account: Option<i64>,
    /// The last day; the last completed session unless given
    #[arg(long, value_name = "DATE", value_parser = super::day)]
    as_of: Option<Date>,
}

/// Imports a statement and prints what it is.
pub(super) async fn import(
    store: &Store,
    args: StatementArgs,
    context: &Context,
) -> Result<Exit, Error> {
    let now = Timestamp::now();
    let imported = import_statement_file(store, &args.file, args.account, now).await?;
    if context.json {
        output::json(&imported);
        return Ok(Exit::Ok);
    }
    let known = if imported.new { "" } else { ", known already" };
    output::line(&format!(
        "statement {} of account {} on {}: {} lines{known}",
        imported.statement_id, imported.account_id, imported.as_of, imported.lines
    ));
    Ok(Exit::Ok)
}

/// Compares accounts and prints what a person should look at. Exit code 1 when there is something.
pub(super) async fn reconcile(
    store: &Store,
    args: ReconcileArgs,
    context: &Context,
) -> Result<Exit, Error> {
    let accounts = match args.account {
        Some(id) => vec![store.account(id).await?],
        None => due_accounts(store, args.as_of).await?.accounts,
    };
    let mut found = Vec::new();
    for account in accounts {
        let request = ReconcileRequest {
            as_of: args.as_of,
            ..ReconcileRequest::new(account.id)
        };
        if let Some(data) = reconcile_account(store, &request, &mut bar()).await? {
            found.push((account.name, data));
        }
    }
    show(&found, context.json);
    let differs = found.iter().any(|(_, data)| data.status == "breaks");
    Ok(if differs { Exit::Failure } else { Exit::Ok })
}

fn show(found: &[(String, ReconcileData)], json: bool) {
    if json {
        let data: Vec<&ReconcileData> = found.iter().map(|(_, data)| data).collect();
        return output::json(&data);
    }
    let row = |(name, data): &(String, ReconcileData)| {
        let matched: i64 = data.matches.values().sum();
        let numbers = [data.breaks.len(), data.opened, data.closed];
        let mut cells = vec![
            name.clone(),
            data.as_of.to_string(),
            data.status.clone(),
            matched.to_string(),
        ];
        cells.extend(numbers.map(|number| number.to_string()));
        cells
    };
    let headers = [
        "account", "as of", "status", "matches", "breaks", "new", "gone",
    ];
    output::table(
        &headers,
        found.iter().map(row).collect(),
        "no account has a statement; celeriac finance import-statement FILE brings one",
    );
    for (name, data) in found {
        for one in &data.breaks {
            output::line(&format!(
                "{name}: {}: {}: {}",
                one.severity, one.kind, one.explanation
            ));
        }
    }
}
