//! `celeriac finance breaks`: what differs between accounts and their statements, and a person's word on it.

use jiff::Timestamp;
use portfolio::store::{BreakRow, Store};
use serde::Serialize;
use service::Exit;

use crate::context::Context;
use crate::error::Error;
use crate::output;

/// What is done with breaks.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  celeriac finance breaks show
  celeriac finance breaks show --account 1 --all --json
  celeriac finance breaks acknowledge 12 --note 'the bank was asked'
  celeriac finance breaks resolve 12 13 --note 'fee waived'
  celeriac finance breaks reopen 13
A break that a later comparison no longer finds is closed by itself; when it comes back it opens again.")]
pub(crate) enum BreaksArgs {
    /// Show the breaks that wait for a person
    Show(ShowArgs),
    /// Say that breaks are known; they stay until they are gone
    Acknowledge(JudgeArgs),
    /// Say that breaks are settled
    Resolve(JudgeArgs),
    /// Take back what was said of breaks
    Reopen(JudgeArgs),
}

/// Which breaks.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// Only those of this account
    #[arg(long, value_name = "ID")]
    account: Option<i64>,
    /// Settled ones too
    #[arg(long)]
    all: bool,
}

/// What is said of breaks.
#[derive(Debug, clap::Args)]
pub(crate) struct JudgeArgs {
    /// The breaks' ids
    #[arg(value_name = "ID", required = true)]
    ids: Vec<i64>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

/// A break with its account.
#[derive(Debug, Serialize)]
struct Shown {
    account_id: i64,
    account: String,
    #[serde(flatten)]
    found: BreakRow,
}

pub(super) async fn run(store: &Store, args: BreaksArgs, context: &Context) -> Result<Exit, Error> {
    match args {
        BreaksArgs::Show(args) => show(store, &args, context).await,
        BreaksArgs::Acknowledge(args) => judge(store, &args, "acknowledged").await,
        BreaksArgs::Resolve(args) => judge(store, &args, "resolved").await,
        BreaksArgs::Reopen(args) => judge(store, &args, "open").await,
    }
}

async fn judge(store: &Store, args: &JudgeArgs, status: &str) -> Result<Exit, Error> {
    let mut unknown = Vec::new();
    for id in &args.ids {
        let now = Timestamp::now();
        match store.judge_break(*id, status, &args.note, now).await? {
            true => output::line(&format!("break {id}: {status}")),
            false => unknown.push(id.to_string()),
        }
    }
    match unknown.is_empty() {
        true => Ok(Exit::Ok),
        false => Err(Error::NotFound(format!(
            "there is no break {}; see celeriac finance breaks show",
            unknown.join(", ")
        ))),
    }
}

async fn show(store: &Store, args: &ShowArgs, context: &Context) -> Result<Exit, Error> {
    let accounts = match args.account {
        Some(id) => vec![store.account(id).await?],
        None => store.active_accounts().await?,
    };
    let mut shown = Vec::new();
    for account in accounts {
        let found = match args.all {
            true => store.breaks_ever(account.id).await?,
            false => store.waiting_breaks(account.id).await?,
        };
        shown.extend(found.into_iter().map(|found| Shown {
            account_id: account.id,
            account: account.name.clone(),
            found,
        }));
    }
    if context.json {
        output::json(&shown);
        return Ok(Exit::Ok);
    }
    let row = |one: &Shown| {
        vec![
            one.found.id.to_string(),
            one.account.clone(),
            one.found.severity.clone(),
            one.found.kind.clone(),
            one.found.status.clone(),
            one.found.explanation.clone(),
            one.found.note.clone().unwrap_or_default(),
        ]
    };
    output::table(
        &[
            "id", "account", "severity", "break", "status", "why", "note",
        ],
        shown.iter().map(row).collect(),
        "no break waits for a person",
    );
    Ok(Exit::Ok)
}
