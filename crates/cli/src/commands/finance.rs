//! `celeriac finance`.

mod accounts;
mod assets;
mod attribution;
mod backups;
mod breaks;
mod files;
mod imports;
mod market;
mod performance;
mod portfolios;
mod reconcile;
mod targets;
mod trial;
mod users;

use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;
use portfolio::money::Currency;
use portfolio::progress::Progress;
use portfolio::store::{Store, sqlite_file};
use service::Exit;
use service::settings::mask_urls;

use crate::context::Context;
use crate::demo::FINANCE_SETTINGS;
use crate::error::Error;
use crate::output;
use crate::summary;
use imports::Facts;

/// How long a command waits before it says for what.
const SILENCE: Duration = Duration::from_secs(2);
/// Characters of a name at most.
const LONGEST_NAME: usize = 200;

/// The finance database: imports, overview, reports and exports
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  celeriac finance init
  celeriac finance users set ada@example.org --name Ada
  celeriac finance accounts set -u 1 Main
  celeriac finance portfolios set -u 1 Everything
  celeriac finance assets set AAPL --name 'Apple Inc.'
  celeriac finance import-prices AAPL prices/AAPL.csv
  celeriac finance import-transactions --user 1 ledger.csv
  celeriac finance fetch-market-data -s AAPL -s GOOGL --days 30
  celeriac finance update-prices
  celeriac finance import-statement march.ofx
  celeriac finance reconcile
  celeriac finance breaks acknowledge 12 --note 'the bank was asked'
  celeriac finance calculate-performance -u 1 -d 30
  celeriac finance snapshot
  celeriac finance targets set -u 1 --portfolio 1 equity=60 bond=30:3
  celeriac finance targets propose -u 1
  celeriac finance attribution -u 1 --by class equity=60:SPY bond=40:AGG
  celeriac finance summary --json
  celeriac finance report --user 1 --format pdf --format html
  celeriac finance export --user 1 --start 2012-01-01 --end 2012-12-31
  celeriac finance backup --keep 14
  celeriac finance restore data/backups/FILE.jsonl.zst --to data/restored.db
  celeriac finance test-celery --task=analytics
  celeriac finance test-tasks --task refresh --user-id 1 --sync
  celeriac finance run analytics
  celeriac finance settings > celeriac.toml
Importing again changes nothing. Exit code 1 when rows were refused, a portfolio
failed or an account differs from its statement.")]
pub(crate) enum Args {
    /// Make the finance database, or bring the one that is there up to date
    Init,
    /// Add, change and show users, and how they are told of things
    #[command(subcommand)]
    Users(users::UsersArgs),
    /// Add, change and show accounts, and their numbers at custodians
    #[command(subcommand)]
    Accounts(accounts::AccountsArgs),
    /// Add, change and show portfolios
    #[command(subcommand)]
    Portfolios(portfolios::PortfoliosArgs),
    /// Add, change and show assets
    #[command(subcommand)]
    Assets(assets::AssetsArgs),
    /// Import the prices of an asset from a CSV file
    #[command(after_help = imports::PRICES_HELP)]
    ImportPrices(imports::PricesArgs),
    /// Import transactions from a CSV file
    #[command(visible_alias = "import", after_help = imports::TRANSACTIONS_HELP)]
    ImportTransactions(imports::TransactionsArgs),
    /// Import exchange rates to the euro from a CSV file
    #[command(after_help = imports::RATES_HELP)]
    ImportRates(imports::FileArgs),
    /// Import splits and dividends from a CSV file
    #[command(after_help = imports::ACTIONS_HELP)]
    ImportActions(imports::FileArgs),
    /// Fetch daily prices, splits and dividends from the providers in celeriac_market_data_providers
    FetchMarketData(market::FetchArgs),
    /// Fetch the newest prices of what active portfolios hold
    UpdatePrices(market::QuoteArgs),
    /// Import a custodian's statement: CSV, JSON, OFX or QFX
    ImportStatement(reconcile::StatementArgs),
    /// Compare accounts with their statements, and say what differs
    Reconcile(reconcile::ReconcileArgs),
    /// Show what differs from statements, and say what is known or settled
    #[command(subcommand)]
    Breaks(breaks::BreaksArgs),
    /// Compute a user's figures over a range, and where the profit came from
    CalculatePerformance(performance::PerformanceArgs),
    /// Keep what each portfolio was worth at the end of a day
    Snapshot(performance::SnapshotArgs),
    /// Say how portfolios are meant to be divided, and get the trades that bring them there
    #[command(subcommand)]
    Targets(targets::TargetsArgs),
    /// Say why portfolios did otherwise than their targets, or another mix: by how they were divided, or by what was picked
    Attribution(attribution::AttributionArgs),
    /// Show every portfolio's figures as last computed
    Summary,
    /// Write reports on a user's portfolios: PDF, HTML, CSV or JSON
    Report(files::ReportArgs),
    /// Export a user's holdings, cash, transactions, values and dividends
    Export(files::ExportArgs),
    /// Back up the finance database into one file, verified by restoring it
    Backup(backups::BackupArgs),
    /// Bring a backup back
    Restore(backups::RestoreArgs),
    /// Send portfolio_site's tasks and show how each ended
    TestCelery(trial::CeleryArgs),
    /// Send the dashboard's tasks and show how each ended
    TestTasks(trial::TasksArgs),
    /// Run a job now and print its result
    Run(trial::RunArgs),
    /// Print a settings file with the finance tasks' routes and schedule
    Settings,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    match args {
        Args::Settings => {
            output::line(FINANCE_SETTINGS.trim_end());
            Ok(Exit::Ok)
        }
        Args::Init => init(context).await,
        Args::TestCelery(args) => trial::celery(args, context).await,
        Args::TestTasks(args) => trial::tasks(args, context).await,
        Args::Run(args) => trial::run(args, context).await,
        Args::Restore(args) => backups::restore(args, context).await.map(|()| Exit::Ok),
        args => on_database(args, context).await,
    }
}

/// The commands that need no broker, but the finance database.
async fn on_database(args: Args, context: &Context) -> Result<Exit, Error> {
    let store = open(context).await?;
    let outcome = on(&store, args, context).await;
    store.close().await;
    outcome
}

async fn on(store: &Store, args: Args, context: &Context) -> Result<Exit, Error> {
    let ok = |()| Exit::Ok;
    match args {
        Args::Users(args) => users::run(store, args, context).await,
        Args::Accounts(args) => accounts::run(store, args, context).await,
        Args::Portfolios(args) => portfolios::run(store, args, context).await,
        Args::Assets(args) => assets::run(store, args, context).await,
        Args::ImportPrices(args) => imports::prices(store, &args, context).await,
        Args::ImportTransactions(args) => imports::transactions(store, &args, context).await,
        Args::ImportRates(args) => imports::facts(store, Facts::Rates, &args, context).await,
        Args::ImportActions(args) => imports::facts(store, Facts::Actions, &args, context).await,
        Args::Breaks(args) => breaks::run(store, args, context).await,
        Args::Init
        | Args::Settings
        | Args::Restore(_)
        | Args::TestCelery(_)
        | Args::TestTasks(_)
        | Args::Run(_) => Ok(Exit::Ok),
        Args::Backup(args) => backups::backup(store, args, context).await.map(ok),
        Args::FetchMarketData(args) => market::fetch(store, args, context).await,
        Args::ImportStatement(args) => reconcile::import(store, args, context).await,
        Args::Reconcile(args) => reconcile::reconcile(store, args, context).await,
        Args::CalculatePerformance(args) => performance::calculate(store, args, context).await,
        Args::Snapshot(args) => performance::snapshot(store, args, context).await,
        Args::UpdatePrices(args) => market::quotes(store, args, context).await,
        Args::Targets(args) => targets::run(store, args, context).await,
        Args::Attribution(args) => attribution::attribution(store, args, context).await,
        Args::Summary => summary::show(store, context.json).await.map(ok),
        Args::Report(args) => files::report(store, args, context).await.map(ok),
        Args::Export(args) => files::export(store, args, context).await.map(ok),
    }
}

async fn open(context: &Context) -> Result<Store, Error> {
    let url = context.finance_url();
    match patiently(&url, Store::open_url(&url)).await {
        Err(portfolio::Error::DatabaseMissing(path)) => Err(Error::NotFound(format!(
            "there is no finance database at {path}; celeriac finance init makes one, celeriac up --demo one with a sample portfolio"
        ))),
        opened => Ok(opened?),
    }
}

/// Goes on waiting for a database that takes long to open, but says so.
async fn patiently<T>(url: &str, opening: impl Future<Output = T>) -> T {
    let mut opening = pin!(opening);
    tokio::select! {
        biased;
        opened = &mut opening => return opened,
        () = tokio::time::sleep(SILENCE) => eprintln!("note: still opening {}", mask_urls(url)),
    }
    opening.await
}

async fn init(context: &Context) -> Result<Exit, Error> {
    let url = context.finance_url();
    if let Some(folder) = sqlite_file(&url)?.and_then(Path::parent) {
        std::fs::create_dir_all(folder).map_err(|source| Error::Io {
            what: format!("cannot make the folder {}", folder.display()),
            source,
        })?;
    }
    let store = patiently(&url, Store::create_url(&url)).await?;
    output::line(&format!("the finance database is {}", store.name()));
    if store.users().await?.is_empty() {
        output::line(
            "next: celeriac finance users set, then accounts, portfolios and assets set (--help shows examples)",
        );
    }
    store.close().await;
    Ok(Exit::Ok)
}

/// A symbol as ledgers have it.
fn symbol(text: &str) -> Result<String, String> {
    let symbol = text.trim().to_uppercase();
    let good = !symbol.is_empty()
        && !symbol.contains(|sign: char| sign.is_whitespace() || sign.is_control());
    good.then_some(symbol)
        .ok_or_else(|| "must be a symbol such as AAPL".to_owned())
}

/// The currency of what names none.
fn usd() -> Currency {
    "USD".parse().expect("a code of three letters")
}

/// What people call something.
fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    let good = !name.is_empty()
        && name.chars().count() <= LONGEST_NAME
        && !name.contains(char::is_control);
    good.then(|| name.to_owned()).ok_or_else(|| {
        format!("must have 1 to {LONGEST_NAME} characters, none of them a control character")
    })
}

/// The id of an asset.
async fn asset(store: &Store, symbol: &str) -> Result<i64, Error> {
    let assets = store.asset_ids().await?;
    assets.get(symbol).copied().ok_or_else(|| {
        Error::NotFound(format!(
            "there is no asset {symbol}; celeriac finance assets set {symbol} adds it, fetch-market-data -s {symbol} with its prices"
        ))
    })
}

/// Whose rows are shown.
#[derive(Debug, clap::Args)]
pub(crate) struct OwnerArgs {
    /// Only this user's
    #[arg(long, short, value_name = "ID")]
    user: Option<i64>,
}

impl OwnerArgs {
    /// The user, if there is one of this id.
    async fn check(&self, store: &Store) -> Result<Option<i64>, Error> {
        if let Some(id) = self.user {
            store.require_user(id).await?;
        }
        Ok(self.user)
    }
}

/// Something that a user has, by its name.
#[derive(Debug, clap::Args)]
pub(crate) struct OwnedArgs {
    /// Whose it is
    #[arg(long, short, value_name = "ID")]
    user: i64,
    /// Its name
    name: String,
}

impl OwnedArgs {
    /// Its id among all that the user has of its kind.
    fn among<T>(
        &self,
        kind: &str,
        rows: &[T],
        known: impl Fn(&T) -> (i64, &String),
    ) -> Result<i64, Error> {
        let found = rows.iter().find(|row| *known(row).1 == self.name);
        found.map(|row| known(row).0).ok_or_else(|| {
            let names: Vec<&str> = rows.iter().map(|row| known(row).1.as_str()).collect();
            Error::NotFound(format!(
                "user {} has no {kind} {}; there are: {}",
                self.user,
                self.name,
                names.join(", ")
            ))
        })
    }
}

/// A day as people write it.
fn day(text: &str) -> Result<Date, String> {
    text.parse()
        .map_err(|_| "must be a date such as 2012-12-31".to_owned())
}

/// Draws a progress bar on standard error while it is a terminal.
fn bar() -> impl FnMut(Progress) + Send + Sync {
    // Phases count different things, so what they share is shown.
    let bar = ProgressBar::new(100);
    let style = ProgressStyle::with_template("{msg:>8} {wide_bar} {percent:>3} %");
    bar.set_style(style.expect("the template is well-formed"));
    move |progress: Progress| {
        bar.set_message(progress.phase);
        bar.set_position(progress.percent());
    }
}
