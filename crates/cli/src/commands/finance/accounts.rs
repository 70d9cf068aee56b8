//! `celeriac finance accounts`: where things are held, and the numbers by which custodians' statements are known.

use jiff::Timestamp;
use portfolio::money::Currency;
use portfolio::store::{AccountRow, NewAccount, Retirable, Store};
use service::Exit;

use super::{OwnedArgs, OwnerArgs};
use crate::context::Context;
use crate::error::Error;
use crate::output;

/// What is done with accounts.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  celeriac finance accounts set -u 1 Main
  celeriac finance accounts set -u 1 Depot --currency EUR --custodian 'Example Bank' --number DE-4711
  celeriac finance accounts show
  celeriac finance accounts retire -u 1 Depot
User and name identify an account: the same ones again change what is given, and bring back one that was
retired. Rows of ledgers name accounts by their names.")]
pub(crate) enum AccountsArgs {
    /// Add an account, or change one
    Set(SetArgs),
    /// Show accounts
    Show(OwnerArgs),
    /// Leave an account out of reconciliation; its ledger counts still
    Retire(OwnedArgs),
}

/// An account.
#[derive(Debug, clap::Args)]
pub(crate) struct SetArgs {
    /// Whose account
    #[arg(long, short, value_name = "ID")]
    user: i64,
    /// Its name in ledgers
    #[arg(value_parser = super::name)]
    name: String,
    /// Its currency; the user's unless given
    #[arg(long, value_name = "CODE")]
    currency: Option<Currency>,
    /// More may be sold than is held
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    allow_short: Option<bool>,
    /// Who keeps it
    #[arg(long, value_name = "NAME", value_parser = super::name, requires = "number")]
    custodian: Option<String>,
    /// Its number there, as statements have it
    #[arg(long, value_name = "NUMBER", value_parser = super::name, requires = "custodian")]
    number: Option<String>,
}

pub(super) async fn run(
    store: &Store,
    args: AccountsArgs,
    context: &Context,
) -> Result<Exit, Error> {
    let accounts = match args {
        AccountsArgs::Set(args) => vec![set(store, &args).await?],
        AccountsArgs::Show(owner) => {
            let user = owner.check(store).await?;
            shown(store, user).await?
        }
        AccountsArgs::Retire(args) => {
            let accounts = store.accounts(args.user).await?;
            let id = args.among("account", &accounts, |account| (account.id, &account.name))?;
            store.retire(Retirable::Account, id).await?;
            shown(store, Some(args.user)).await?
        }
    };
    show(&accounts, context);
    Ok(Exit::Ok)
}

/// All active accounts, or a user's.
async fn shown(store: &Store, user: Option<i64>) -> Result<Vec<AccountRow>, Error> {
    let mut accounts = store.active_accounts().await?;
    accounts.retain(|account| user.is_none_or(|user| account.user_id == user));
    Ok(accounts)
}

async fn set(store: &Store, args: &SetArgs) -> Result<AccountRow, Error> {
    let user = store.user(args.user).await?;
    let mut accounts = store.accounts(user.id).await?.into_iter();
    let (currency, allow_short) = match accounts.find(|account| account.name == args.name) {
        Some(account) => (account.currency, account.allow_short),
        None => (user.base_currency, false),
    };
    let account = NewAccount {
        user_id: user.id,
        name: &args.name,
        currency: args.currency.unwrap_or(currency),
        allow_short: args.allow_short.unwrap_or(allow_short),
    };
    let id = store.put_account(&account, Timestamp::now()).await?;
    if let Some((custodian, number)) = args.custodian.as_deref().zip(args.number.as_deref()) {
        store.set_custodian(id, custodian, number).await?;
    }
    Ok(store.account(id).await?)
}

fn show(accounts: &[AccountRow], context: &Context) {
    if context.json {
        return output::json(&accounts);
    }
    let row = |account: &AccountRow| {
        let short = if account.allow_short { "yes" } else { "" };
        vec![
            account.id.to_string(),
            account.user_id.to_string(),
            account.name.clone(),
            account.currency.to_string(),
            short.to_owned(),
            account.custodian.clone().unwrap_or_default(),
            account.custodian_account_no.clone().unwrap_or_default(),
        ]
    };
    output::table(
        &[
            "id",
            "user",
            "name",
            "currency",
            "short",
            "custodian",
            "number",
        ],
        accounts.iter().map(row).collect(),
        "there are no accounts; celeriac finance accounts set -u 1 Main adds one",
    );
}
