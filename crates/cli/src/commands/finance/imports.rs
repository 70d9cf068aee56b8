//! `celeriac finance import-…`: tables in CSV, whose bad rows are listed and whose others are stored.

use std::path::PathBuf;

use jiff::Timestamp;
use portfolio::import::{
    ImportReport, Input, PriceImport, Source, TransactionImport, import_actions, import_prices,
    import_rates, import_transactions,
};
use portfolio::store::Store;
use service::Exit;

use super::{asset, bar};
use crate::context::Context;
use crate::error::Error;
use crate::output;

/// What rows that come from files say of where they are from.
const SOURCE: &str = "csv";

pub(super) const PRICES_HELP: &str = "Example:
  celeriac finance import-prices AAPL prices/AAPL.csv
The file, of which only date and close are required:
  date,open,high,low,close,volume
  2024-01-02,187.15,188.44,183.89,185.64,82488700";

pub(super) const TRANSACTIONS_HELP: &str = "Example:
  celeriac finance import-transactions --user 1 ledger.csv
The file:
  account,date,type,symbol,quantity,price,amount,currency,fee,external_id
  Main,2024-01-02,deposit,,,,10000,USD,,D-1
  Main,2024-01-03,buy,AAPL,10,184.25,,USD,1.50,B-1
Required are account, date, type and currency. Types: buy, sell, dividend,
interest, fee, tax, deposit, withdrawal, split, transfer_in, transfer_out,
fx_conversion, return_of_capital, spinoff, symbol_change, cash_in_lieu. More
columns: tax, settle_date, executed_at, note, to_currency, to_amount,
to_symbol, ratio, cost_fraction, acquired_on, lot_picks.";

pub(super) const RATES_HELP: &str = "Example:
  celeriac finance import-rates eurofxref-hist.csv
The file, units for one euro, as the European Central Bank publishes it:
  Date,USD,GBP
  2024-01-02,1.0956,0.86645";

pub(super) const ACTIONS_HELP: &str = "Example:
  celeriac finance import-actions actions.csv
The file, new shares for an old one or cash for each share:
  symbol,ex_date,type,value,currency
  AAPL,2020-08-31,split,4,
  AAPL,2024-02-09,dividend,0.24,USD";

/// Prices of an asset.
#[derive(Debug, clap::Args)]
pub(crate) struct PricesArgs {
    /// The asset's symbol
    #[arg(value_parser = super::symbol)]
    symbol: String,
    /// The file
    file: PathBuf,
}

/// Transactions of a user.
#[derive(Debug, clap::Args)]
pub(crate) struct TransactionsArgs {
    /// The file
    file: PathBuf,
    /// The owner of the accounts that the rows name
    #[arg(long, short, value_name = "ID")]
    user: i64,
}

/// A file.
#[derive(Debug, clap::Args)]
pub(crate) struct FileArgs {
    /// The file
    file: PathBuf,
}

pub(super) async fn prices(
    store: &Store,
    args: &PricesArgs,
    context: &Context,
) -> Result<Exit, Error> {
    let import = PriceImport {
        asset_id: asset(store, &args.symbol).await?,
        source: SOURCE,
    };
    let input = Input::open(&args.file, Timestamp::now())?;
    let report = import_prices(store, input, import, &mut bar()).await?;
    Ok(show(&report, context))
}

pub(super) async fn transactions(
    store: &Store,
    args: &TransactionsArgs,
    context: &Context,
) -> Result<Exit, Error> {
    let import = TransactionImport {
        user_id: args.user,
        source: SOURCE,
    };
    let input = Input::open(&args.file, Timestamp::now())?;
    let report = import_transactions(store, input, import, &mut bar()).await?;
    Ok(show(&report, context))
}

/// Tables of which no argument says more.
#[derive(Clone, Copy, Debug)]
pub(super) enum Facts {
    Rates,
    Actions,
}

pub(super) async fn facts(
    store: &Store,
    facts: Facts,
    args: &FileArgs,
    context: &Context,
) -> Result<Exit, Error> {
    let (name, bytes) = args.read()?;
    let file = Source {
        name: &name,
        bytes: &bytes,
        now: Timestamp::now(),
    };
    let report = match facts {
        Facts::Rates => import_rates(store, file, SOURCE, &mut bar()).await?,
        Facts::Actions => import_actions(store, file, SOURCE, &mut bar()).await?,
    };
    Ok(show(&report, context))
}

impl FileArgs {
    fn read(&self) -> Result<(String, Vec<u8>), Error> {
        let name = self.file.display().to_string();
        let bytes = std::fs::read(&self.file).map_err(|source| Error::Io {
            what: format!("cannot read {name}"),
            source,
        })?;
        Ok((name, bytes))
    }
}

fn show(report: &ImportReport, context: &Context) -> Exit {
    if context.json {
        output::json(report);
    } else {
        let ImportReport {
            rows,
            written,
            unchanged,
            bad,
            bad_rows,
        } = report;
        output::line(&format!(
            "{rows} rows: {written} written, {unchanged} unchanged, {bad} refused"
        ));
        bad_rows
            .iter()
            .for_each(|row| output::line(&row.to_string()));
    }
    if report.bad == 0 {
        Exit::Ok
    } else {
        Exit::Failure
    }
}
