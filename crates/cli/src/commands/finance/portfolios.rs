//! `celeriac finance portfolios`: which accounts are looked at together, and how.

use std::collections::HashMap;

use clap::builder::PossibleValuesParser;
use jiff::Timestamp;
use portfolio::decimal::Decimal;
use portfolio::ledger::{IncomeMode, LotMethod};
use portfolio::money::Currency;
use portfolio::store::{NewPortfolio, PortfolioRow, Retirable, Store};
use serde::Serialize;
use service::Exit;

use super::targets::share;
use super::{OwnedArgs, OwnerArgs};
use crate::context::Context;
use crate::error::Error;
use crate::output;

/// What is done with portfolios.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  celeriac finance portfolios set -u 1 Everything
  celeriac finance portfolios set -u 1 Pension --account Depot --account Cash --currency EUR --calendar XETR
  celeriac finance portfolios set -u 1 Everything --benchmark SPY --risk-free 2.5 --lot-method hifo
  celeriac finance portfolios show
  celeriac finance portfolios retire -u 1 Pension
User and name identify a portfolio: the same ones again change what is given, and bring back one that was
retired.")]
pub(crate) enum PortfoliosArgs {
    /// Add a portfolio, or change one
    Set(SetArgs),
    /// Show portfolios
    Show(OwnerArgs),
    /// Leave a portfolio out of figures and snapshots; those there are stay
    Retire(OwnedArgs),
}

/// A portfolio.
#[derive(Debug, clap::Args)]
pub(crate) struct SetArgs {
    /// Whose portfolio
    #[arg(long, short, value_name = "ID")]
    user: i64,
    /// Its name
    #[arg(value_parser = super::name)]
    name: String,
    /// An account of it, by name; a new portfolio has all of its user unless given. May be given several times
    #[arg(long = "account", value_name = "NAME", conflicts_with = "all_accounts")]
    accounts: Vec<String>,
    /// All accounts that the user has by now
    #[arg(long)]
    all_accounts: bool,
    /// The currency of its figures; the user's unless given
    #[arg(long, value_name = "CODE")]
    currency: Option<Currency>,
    /// The exchange whose sessions are its days: XNYS (unless given), XLON, XETR, XKLS or 24/7
    #[arg(long, value_name = "MIC")]
    calendar: Option<String>,
    /// Which lots a sale closes first; fifo unless given
    #[arg(long, value_parser = PossibleValuesParser::new(LotMethod::ALL.map(LotMethod::as_str)))]
    lot_method: Option<String>,
    /// Book dividends on their ex-dates; else they come as rows of the ledger
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    automatic_income: Option<bool>,
    /// The annual risk-free rate, in per cent; none unless given
    #[arg(long, value_name = "PERCENT", value_parser = share)]
    risk_free: Option<Decimal>,
    /// The asset that its returns are compared with
    #[arg(long, value_name = "SYMBOL", value_parser = super::symbol)]
    benchmark: Option<String>,
    /// Compare its returns with nothing any more
    #[arg(long, conflicts_with = "benchmark")]
    no_benchmark: bool,
}

/// A portfolio as it is shown.
#[derive(Debug, Serialize)]
struct Shown {
    id: i64,
    user_id: i64,
    name: String,
    currency: Currency,
    calendar: String,
    lot_method: &'static str,
    automatic_income: bool,
    risk_free_rate: Decimal,
    benchmark: Option<String>,
    accounts: Vec<String>,
}

pub(super) async fn run(
    store: &Store,
    args: PortfoliosArgs,
    context: &Context,
) -> Result<Exit, Error> {
    let rows = match args {
        PortfoliosArgs::Set(args) => vec![set(store, &args).await?],
        PortfoliosArgs::Show(owner) => {
            let user = owner.check(store).await?;
            active(store, user).await?
        }
        PortfoliosArgs::Retire(args) => {
            let rows = store.portfolios(Some(args.user)).await?;
            let id = args.among("portfolio", &rows, |row| (row.id, &row.name))?;
            store.retire(Retirable::Portfolio, id).await?;
            active(store, Some(args.user)).await?
        }
    };
    show(store, rows, context).await
}

async fn active(store: &Store, user: Option<i64>) -> Result<Vec<PortfolioRow>, Error> {
    let mut rows = store.portfolios(user).await?;
    rows.retain(|row| row.is_active);
    Ok(rows)
}

async fn set(store: &Store, args: &SetArgs) -> Result<PortfolioRow, Error> {
    let user = store.user(args.user).await?;
    let mut rows = store.portfolios(Some(user.id)).await?.into_iter();
    let kept = rows.find(|row| row.name == args.name);
    let accounts = args.spanned(store, kept.as_ref()).await?;
    let plain = NewPortfolio::plain(user.id, &args.name, user.base_currency);
    let mut portfolio = kept.as_ref().map_or(plain, NewPortfolio::of);
    args.change(store, &mut portfolio).await?;
    let id = store.put_portfolio(&portfolio, Timestamp::now()).await?;
    if let Some(accounts) = accounts {
        store.span_accounts(id, &accounts).await?;
        if accounts.is_empty() {
            eprintln!(
                "note: user {} has no account yet; after celeriac finance accounts set, set the portfolio again",
                user.id
            );
        }
    }
    let rows = store.portfolios(Some(user.id)).await?;
    let stored = rows.into_iter().find(|row| row.id == id);
    stored.ok_or_else(|| Error::NotFound(format!("portfolio {id} was removed meanwhile")))
}

impl SetArgs {
    /// Brings in what is given.
    async fn change<'a>(
        &'a self,
        store: &Store,
        portfolio: &mut NewPortfolio<'a>,
    ) -> Result<(), Error> {
        let kept = portfolio.clone();
        portfolio.base_currency = self.currency.unwrap_or(kept.base_currency);
        portfolio.calendar = self.calendar.as_deref().unwrap_or(kept.calendar);
        portfolio.lot_method = self.lot_method.as_deref().unwrap_or(kept.lot_method);
        portfolio.automatic_income = self.automatic_income.unwrap_or(kept.automatic_income);
        portfolio.risk_free_rate = self.risk_free.unwrap_or(kept.risk_free_rate);
        if let Some(symbol) = &self.benchmark {
            portfolio.benchmark_asset_id = Some(super::asset(store, symbol).await?);
        } else if self.no_benchmark {
            portfolio.benchmark_asset_id = None;
        }
        Ok(())
    }

    /// The ids of the accounts that it is to span; none where those that it spans stay.
    async fn spanned(
        &self,
        store: &Store,
        kept: Option<&PortfolioRow>,
    ) -> Result<Option<Vec<i64>>, Error> {
        let accounts = store.accounts(self.user).await?;
        if !self.accounts.is_empty() {
            let named = self.accounts.iter().map(|name| OwnedArgs {
                user: self.user,
                name: name.clone(),
            });
            let id = |named: OwnedArgs| {
                named.among("account", &accounts, |account| (account.id, &account.name))
            };
            return named.map(id).collect::<Result<_, _>>().map(Some);
        }
        let spans = store.spanned_accounts().await?;
        let spans_some = kept.is_some_and(|kept| spans.contains_key(&kept.id));
        let all = || accounts.iter().map(|account| account.id).collect();
        Ok((self.all_accounts || !spans_some).then(all))
    }
}

async fn show(store: &Store, rows: Vec<PortfolioRow>, context: &Context) -> Result<Exit, Error> {
    let assets = store.asset_ids().await?;
    let symbols: HashMap<i64, String> = assets
        .into_iter()
        .map(|(symbol, id)| (id, symbol))
        .collect();
    let mut accounts = store.spanned_accounts().await?;
    let shown = rows.into_iter().map(|row| Shown {
        id: row.id,
        user_id: row.user_id,
        name: row.name,
        currency: row.base_currency,
        calendar: row.calendar,
        lot_method: row.lot_method.as_str(),
        automatic_income: row.income == IncomeMode::Auto,
        risk_free_rate: row.risk_free_rate,
        benchmark: row
            .benchmark_asset_id
            .and_then(|id| symbols.get(&id).cloned()),
        accounts: accounts.remove(&row.id).unwrap_or_default(),
    });
    let shown: Vec<Shown> = shown.collect();
    if context.json {
        output::json(&shown);
        return Ok(Exit::Ok);
    }
    let row = |one: &Shown| {
        vec![
            one.id.to_string(),
            one.user_id.to_string(),
            one.name.clone(),
            one.currency.to_string(),
            one.calendar.clone(),
            one.lot_method.to_owned(),
            one.benchmark.clone().unwrap_or_default(),
            one.accounts.join(", "),
        ]
    };
    let headers = [
        "id",
        "user",
        "name",
        "currency",
        "calendar",
        "lots",
        "benchmark",
        "accounts",
    ];
    output::table(
        &headers,
        shown.iter().map(row).collect(),
        "there are no portfolios; celeriac finance portfolios set -u 1 Everything adds one",
    );
    Ok(Exit::Ok)
}
